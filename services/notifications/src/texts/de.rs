//! German.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

use super::{Frame, Told, Words};
use crate::domain::{Ending, Kind};

pub(super) const FRAME: Frame = Frame {
    tag: "de",
    greeting: "Guten Tag",
    several: "Neues von Ihrem Reverse Mentoring",
    link: "Updraft öffnen:",
    reason: "Sie erhalten diese Nachricht, weil Sie am Reverse Mentoring Ihres Unternehmens teilnehmen.",
};

pub(super) fn words(told: &Told) -> Words {
    let partner = told.partner.as_deref().unwrap_or("Ihrem Tandempartner");
    match told.kind {
        Kind::ApplicationReceived => {
            let until = until(told.due, " Eine Antwort bekommen Sie bis ", ".");
            Words::of(
                "Ihre Bewerbung ist da",
                format!("Ihre Bewerbung als Mentorin oder Mentor ist angekommen.{until}"),
            )
        }
        Kind::InformationRequested => Words::of(
            "Eine Frage zu Ihrer Bewerbung",
            "Das Programmbüro hat eine Frage zu Ihrer Bewerbung. Bitte beantworten Sie sie in Updraft.",
        ),
        Kind::ApplicationAccepted => Words::of(
            "Willkommen als Mentorin oder Mentor",
            "Ihre Bewerbung wurde angenommen. Sie hören von uns, sobald Ihnen ein Tandem vorgeschlagen wird.",
        ),
        Kind::ApplicationWaitlisted => Words::of(
            "Ihre Bewerbung steht auf der Warteliste",
            "Ihre Bewerbung steht auf der Warteliste. Sie hören von uns, wenn ein Platz frei wird.",
        ),
        Kind::ApplicationDeclined => Words::of(
            "Ihre Bewerbung",
            "Ihre Bewerbung konnte diesmal nicht angenommen werden. Den Grund finden Sie in Updraft.",
        ),
        Kind::ObligationDue => {
            let until = until(told.due, " bis ", "");
            let ask = format!("Bitte sagen Sie{until}, was Sie schon wissen und was Sie lernen möchten.");
            Words::of("Ihr Reverse Mentoring beginnt", format!("Sie nehmen am Reverse Mentoring teil. {ask}"))
        }
        Kind::ObligationOverdue => Words::of(
            "Erinnerung: Ihr Reverse Mentoring",
            "Der Tag, bis zu dem Sie sagen wollten, was Sie lernen möchten, ist verstrichen. Es dauert fünf Minuten.",
        ),
        Kind::TandemProposed => {
            let until = until(told.due, " Bitte antworten Sie bis ", ".");
            let offer = format!("Ihnen wird ein Tandem mit {partner} vorgeschlagen.{until}");
            Words::of("Ihnen wird ein Tandem vorgeschlagen", offer)
        }
        Kind::TandemActive => {
            let next = "Die Einladungen zu Ihren Treffen folgen; bitte nehmen Sie beide vor dem ersten die Charta an.";
            Words::of("Ihr Tandem steht", format!("Sie bilden ein Tandem mit {partner}. {next}"))
        }
        Kind::RepairOffered => Words::of(
            "Ein neuer Vorschlag nach einer Absage",
            "Eine Führungskraft, deren Tandem nicht zustande kam oder endete, hat nach der Regel der Ausgabe einen neuen Vorschlag. Was dafür zur Wahl stand, finden Sie in Updraft.",
        ),
        Kind::RepairWaiting => Words::of(
            "Eine Führungskraft ist ohne Tandem",
            "Eine Führungskraft, deren Tandem nicht zustande kam oder endete, hat noch keinen neuen Vorschlag. Warum, finden Sie in Updraft.",
        ),
        Kind::TandemInformationNeeded => Words::of(
            "Eine Rückfrage zu einem Tandemvorschlag",
            "Jemand möchte vor der Antwort auf einen Tandemvorschlag noch etwas von Ihnen wissen; die Antwortfrist ist dafür einmal verlängert. Wer und worüber, finden Sie in Updraft.",
        ),
        Kind::TandemEnded => ended(told.ending, partner),
        Kind::SessionInvitation => invitation(told, partner),
        Kind::SessionCancelled => cancellation(told, partner),
        Kind::FollowUpDue => follow_up(told),
    }
}

fn follow_up(told: &Told) -> Words {
    let ago = told.months.map(|months| format!(" vor {months} Monaten")).unwrap_or_default();
    Words::of(
        "Was ist geblieben?",
        format!("Ihr Reverse Mentoring endete{ago}. Tun Sie noch, was Sie gelernt haben? Ein Klick genügt."),
    )
}

fn invitation(told: &Told, partner: &str) -> Words {
    let (when, minutes) = (when(told.start.as_ref()), told.minutes);
    if told.changed {
        let now = format!("Ihr Treffen mit {partner} hat eine neue Zeit: {when}, {minutes} Minuten.");
        Words::of(format!("Treffen verschoben auf {when}"), now)
    } else {
        let planned = format!("Ihr Treffen mit {partner} ist geplant: {when}, {minutes} Minuten.");
        Words::of(format!("Einladung: Treffen am {when}"), planned)
    }
}

fn cancellation(told: &Told, partner: &str) -> Words {
    let when = when(told.start.as_ref());
    let off = format!("Ihr Treffen mit {partner} am {when} findet nicht statt.");
    Words::of(format!("Abgesagt: Treffen am {when}"), off)
}

fn ended(ending: Option<Ending>, partner: &str) -> Words {
    match ending {
        Some(Ending::Completed) => Words::of(
            "Ihr Tandem ist abgeschlossen",
            format!("Sie haben sich mit {partner} bis zum Ende getroffen. Danke an Sie beide."),
        ),
        Some(Ending::NotFormed) => Words::of(
            "Das vorgeschlagene Tandem kommt nicht zustande",
            format!(
                "Das Tandem mit {partner} kommt nicht zustande. Sie müssen nichts tun und hören von uns."
            ),
        ),
        Some(Ending::Dissolved) | None => Words::of(
            "Ihr Tandem ist beendet",
            format!("Das Tandem mit {partner} ist beendet, künftige Treffen entfallen. Sie hören von uns."),
        ),
    }
}

fn until(day: Option<Date>, before: &str, after: &str) -> String {
    day.map(|day| format!("{before}{}{after}", date(day))).unwrap_or_default()
}

fn when(start: Option<&Zoned>) -> String {
    let when = |start: &Zoned| format!("{}, {}", date(start.date()), start.strftime("%H:%M Uhr (%Q)"));
    start.map(when).unwrap_or_default()
}

fn date(day: Date) -> String {
    let weekday = match day.weekday() {
        Weekday::Monday => "Montag",
        Weekday::Tuesday => "Dienstag",
        Weekday::Wednesday => "Mittwoch",
        Weekday::Thursday => "Donnerstag",
        Weekday::Friday => "Freitag",
        Weekday::Saturday => "Samstag",
        Weekday::Sunday => "Sonntag",
    };
    format!("{weekday}, {}", day.strftime("%-d.%-m.%Y"))
}
