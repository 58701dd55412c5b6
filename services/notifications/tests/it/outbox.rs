//! What a person sees of it.

use notifications::views;

use crate::stage::{MONDAY, Stage};

#[tokio::test]
async fn a_person_sees_the_own_messages_newest_first_and_page_by_page() {
    let stage = Stage::new().await;
    for minute in 0..5 {
        stage.obliged(stage.mentee, &format!("2013-09-02T08:0{minute}:00Z")).await;
    }
    stage.obliged(stage.mentor, MONDAY).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = views::list(stage.pool(), stage.mentee, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created(), last.notification_id));
        seen.extend(page.iter().map(views::Row::created));
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|one, next| one > next));
}

#[tokio::test]
async fn without_a_mail_server_messages_wait() {
    let stage = Stage::new().await;
    stage.obliged(stage.mentee, MONDAY).await;
    assert_eq!(stage.told(stage.mentee).await, [("obligation_due", "pending".to_owned())]);
}
