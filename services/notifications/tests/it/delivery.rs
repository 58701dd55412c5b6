//! Mails on their way.

use mail_parser::MessageParser;
use mailin::response;
use proto::enrollment as e;

use crate::stage::{MONDAY, Stage, at, config};

#[tokio::test]
async fn a_mail_arrives_as_text_and_as_escaped_html() {
    let stage = Stage::new().await;
    stage.offered(MONDAY).await;
    stage.sender.turn(at("2013-09-02T08:01:00Z")).await.unwrap();
    let mut arrived = stage.boxes.arrived();
    arrived.sort_by(|one, other| one.to.cmp(&other.to));
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[1].to, ["ken@fair.test"]);

    let mail = MessageParser::default().parse(&arrived[1].bytes).unwrap();
    assert_eq!(mail.subject(), Some("A tandem is proposed to you"));
    assert_eq!(mail.to().unwrap().first().unwrap().name(), Some("Ken Sánchez"));
    assert_eq!(mail.date().unwrap().to_timestamp(), at("2013-09-02T08:01:00Z").as_second());
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("Dear Ken Sánchez,"), "{text}");
    assert!(text.contains("You and Jolene <b>Ng</b> could form a tandem."), "{text}");
    // In Berlin it is the next day already.
    assert!(text.contains("Please answer by Friday, 6 September 2013."), "{text}");
    assert!(text.contains("https://updraft.test/"), "{text}");
    let html = mail.body_html(0).unwrap();
    assert!(html.contains("Jolene &lt;b&gt;Ng&lt;/b&gt;") && !html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn what_the_server_cannot_take_now_is_tried_again_and_arrives_once() {
    let stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    stage.boxes.refuse_next(response::INTERNAL_ERROR);
    stage.sender.turn(at(MONDAY)).await.unwrap();
    assert_eq!(stage.told(stage.mentee).await, [("obligation_due", "pending".to_owned())]);
    stage.sender.turn(at("2013-09-02T08:00:59Z")).await.unwrap();
    assert_eq!(stage.attempts().await, [1], "the pause lasts a minute");

    for later in ["2013-09-02T08:01:00Z", "2013-09-02T08:02:00Z", "2013-09-03T08:00:00Z"] {
        stage.sender.turn(at(later)).await.unwrap();
    }
    assert_eq!(stage.boxes.arrived().len(), 1);
    assert_eq!(stage.attempts().await, [2]);
    assert_eq!(stage.told(stage.mentee).await, [("obligation_due", "sent".to_owned())]);
}

#[tokio::test]
async fn what_the_server_refuses_for_good_has_failed() {
    let stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    stage.boxes.refuse_next(response::NO_MAILBOX);
    stage.sender.turn(at(MONDAY)).await.unwrap();
    stage.sender.turn(at("2013-09-03T08:00:00Z")).await.unwrap();
    assert!(stage.boxes.arrived().is_empty());
    assert_eq!(stage.told(stage.mentee).await, [("obligation_due", "failed".to_owned())]);
}

#[tokio::test]
async fn a_mail_that_is_sent_again_after_a_crash_bears_the_same_id() {
    let stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    stage.sender.turn(at(MONDAY)).await.unwrap();
    // The process dies between the server's answer and our note of it.
    for undo in ["update deliveries set state = 'pending'", "update mails set due_at = created_at"] {
        sqlx::query(undo).execute(stage.pool()).await.unwrap();
    }
    stage.sender.turn(at("2013-09-02T08:10:00Z")).await.unwrap();
    let ids: Vec<_> = stage.boxes.arrived().iter().map(|mail| id(&mail.bytes)).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].ends_with("@localhost"), "{}", ids[0]);
}

fn id(mail: &[u8]) -> String {
    MessageParser::default().parse(mail).unwrap().message_id().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_due_together_becomes_one_mail() {
    let stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    stage.offered("2013-09-02T08:05:00Z").await;
    stage.sender.turn(at("2013-09-02T08:06:00Z")).await.unwrap();
    let arrived = stage.boxes.arrived();
    let mail = arrived.iter().find(|mail| mail.to == ["ken@fair.test"]).unwrap();
    assert_eq!(arrived.len(), 2, "one for each of the two people");
    let mail = MessageParser::default().parse(&mail.bytes).unwrap();
    assert_eq!(mail.subject(), Some("News from your reverse mentoring"));
    let text = mail.body_text(0).unwrap();
    let both = ["You take part in the reverse mentoring.", "could form a tandem."];
    assert!(both.iter().all(|part| text.contains(part)), "{text}");
}

#[tokio::test]
async fn at_night_nothing_goes_and_in_the_morning_only_what_is_still_of_use() {
    let stage = Stage::new().await;
    let friday_night = "2013-09-06T20:00:00Z";
    let settled = stage.obliged(stage.mentor, friday_night).await;
    stage.obliged(stage.mentee, friday_night).await;
    for quiet in [friday_night, "2013-09-07T10:00:00Z"] {
        stage.sender.turn(at(quiet)).await.unwrap();
    }
    assert!(stage.boxes.arrived().is_empty());

    let acknowledged = e::ObligationAcknowledged {
        obligation_id: settled.to_string(),
        edition_id: stage.edition.to_string(),
        person_id: stage.mentor.to_string(),
        ..Default::default()
    };
    stage.happens(&acknowledged, "2013-09-07T10:00:00Z").await;
    stage.sender.turn(at("2013-09-09T05:00:00Z")).await.unwrap();
    let to: Vec<_> = stage.boxes.arrived().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["ken@fair.test"]);
    assert_eq!(stage.told(stage.mentor).await, [("obligation_due", "suppressed".to_owned())]);
}

#[tokio::test]
async fn a_retry_respects_the_quiet_hours() {
    let stage = Stage::new().await;
    let evening = "2013-09-02T17:59:30Z";
    stage.obliged(stage.mentee, evening).await;
    stage.boxes.refuse_next(response::INTERNAL_ERROR);
    for late in [evening, "2013-09-02T18:01:00Z", "2013-09-03T04:59:00Z"] {
        stage.sender.turn(at(late)).await.unwrap();
    }
    assert_eq!((stage.boxes.arrived().len(), stage.attempts().await), (0, vec![1]));
    stage.sender.turn(at("2013-09-03T05:00:00Z")).await.unwrap();
    assert_eq!((stage.boxes.arrived().len(), stage.attempts().await), (1, vec![2]));
}

#[tokio::test]
async fn who_left_or_is_unknown_gets_nothing_more() {
    let stage = Stage::new().await;
    let nobody = identity::PersonId::from_uuid(Stage::nobody());
    stage.obliged(stage.mentee, MONDAY).await;
    stage.obliged(stage.mentor, MONDAY).await;
    stage.obliged(nobody, MONDAY).await;
    let left = e::PersonLeft { person_id: stage.mentee.to_string(), last_day: "2013-09-30".to_owned() };
    stage.happens(&left, MONDAY).await;
    stage.offered(MONDAY).await;
    stage.directory.leave(stage.mentor);
    stage.sender.turn(at(MONDAY)).await.unwrap();
    assert!(stage.boxes.arrived().is_empty());
    for person in [stage.mentor, stage.mentee, nobody] {
        assert!(stage.told(person).await.iter().all(|(_, state)| state == "suppressed"));
    }
}

#[tokio::test]
async fn a_server_that_is_away_loses_nothing() {
    let mut stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    let boxes = std::mem::replace(&mut stage.sender.server, away());
    assert!(stage.sender.turn(at(MONDAY)).await.is_err());
    assert_eq!(stage.told(stage.mentee).await, [("obligation_due", "pending".to_owned())]);
    stage.sender.server = boxes;
    stage.sender.turn(at("2013-09-12T08:00:00Z")).await.unwrap();
    assert_eq!(stage.boxes.arrived().len(), 1);
}

/// A server at a port where nobody listens.
fn away() -> notifications::post::MailServer {
    config(&["--smtp-url=smtp://127.0.0.1:1"]).unwrap().smtp.unwrap()
}

#[test]
fn a_bad_mail_server_is_refused_without_showing_its_password() {
    let refused = config(&["--smtp-url=imap://office:secret@mail.test"]).err().unwrap().to_string();
    assert!(refused.contains("UPDRAFT_SMTP_URL") && !refused.contains("secret"), "{refused}");
}
