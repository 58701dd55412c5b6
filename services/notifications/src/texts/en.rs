//! English.

use jiff::Zoned;
use jiff::civil::Date;

use super::{Frame, Told, Words};
use crate::domain::{Ending, Kind};

pub(super) const FRAME: Frame = Frame {
    tag: "en",
    greeting: "Dear",
    several: "News from your reverse mentoring",
    link: "Open Updraft:",
    reason: "You receive this because you take part in your company's reverse mentoring.",
};

pub(super) fn words(told: &Told) -> Words {
    let partner = told.partner.as_deref().unwrap_or("your tandem partner");
    match told.kind {
        Kind::ApplicationReceived => {
            let until = until(told.due, " You will have an answer by ", ".");
            Words::of(
                "Your application has arrived",
                format!("Your application as a mentor has arrived.{until}"),
            )
        }
        Kind::InformationRequested => Words::of(
            "A question about your application",
            "The programme office has a question about your application. Please answer it in Updraft.",
        ),
        Kind::ApplicationAccepted => Words::of(
            "Welcome as a mentor",
            "Your application was accepted. You will hear from us as soon as a tandem is proposed to you.",
        ),
        Kind::ApplicationWaitlisted => Words::of(
            "Your application is in reserve",
            "Your application is in reserve. You will hear from us when a place becomes free.",
        ),
        Kind::ApplicationDeclined => Words::of(
            "Your application",
            "Your application could not be accepted this time. The reason stands in Updraft.",
        ),
        Kind::ObligationDue => {
            let until = until(told.due, " by ", "");
            let ask = format!("Please say{until} what you know already and what you want to learn.");
            Words::of(
                "Your reverse mentoring begins",
                format!("You take part in the reverse mentoring. {ask}"),
            )
        }
        Kind::ObligationOverdue => Words::of(
            "Reminder: your reverse mentoring",
            "The day by which you were to say what you want to learn has passed. It takes five minutes.",
        ),
        Kind::TandemProposed => {
            let until = until(told.due, " Please answer by ", ".");
            Words::of("A tandem is proposed to you", format!("You and {partner} could form a tandem.{until}"))
        }
        Kind::TandemActive => {
            let next =
                "The invitations to your sessions follow; please both accept the charter before the first.";
            Words::of("Your tandem is set", format!("You and {partner} are a tandem. {next}"))
        }
        Kind::RepairOffered => Words::of(
            "A new offer after a refusal",
            "An executive whose tandem did not come about, or has ended, has a new offer by the edition's rule. You find in Updraft what there was to choose from.",
        ),
        Kind::RepairWaiting => Words::of(
            "An executive has no tandem",
            "An executive whose tandem did not come about, or has ended, has no new offer yet. You find in Updraft why.",
        ),
        Kind::TandemInformationNeeded => Words::of(
            "A question about a tandem that was offered",
            "Somebody would like to know something from you before answering the offer of a tandem; the time to answer was extended once for it. You find in Updraft who, and what about.",
        ),
        Kind::TandemEnded => ended(told.ending, partner),
        Kind::SessionInvitation => invitation(told, partner),
        Kind::SessionCancelled => cancellation(told, partner),
        Kind::FollowUpDue => follow_up(told),
    }
}

fn follow_up(told: &Told) -> Words {
    let ago = told.months.map(|months| format!(" {months} months ago")).unwrap_or_default();
    Words::of(
        "What has stayed?",
        format!(
            "Your reverse mentoring ended{ago}. Do you still practise what you learnt? One click is enough."
        ),
    )
}

fn invitation(told: &Told, partner: &str) -> Words {
    let (when, minutes) = (when(told.start.as_ref()), told.minutes);
    if told.changed {
        let now = format!("Your session with {partner} is now on {when}, {minutes} minutes.");
        Words::of(format!("Session moved to {when}"), now)
    } else {
        let planned = format!("Your session with {partner} is planned on {when}, {minutes} minutes.");
        Words::of(format!("Invitation: session on {when}"), planned)
    }
}

fn cancellation(told: &Told, partner: &str) -> Words {
    let when = when(told.start.as_ref());
    let off = format!("Your session with {partner} on {when} does not take place.");
    Words::of(format!("Cancelled: session on {when}"), off)
}

fn ended(ending: Option<Ending>, partner: &str) -> Words {
    match ending {
        Some(Ending::Completed) => Words::of(
            "Your tandem is completed",
            format!("You and {partner} have met through to the end. Thank you, both of you."),
        ),
        Some(Ending::NotFormed) => Words::of(
            "The proposed tandem does not come about",
            format!(
                "The tandem with {partner} does not come about. You need not do anything; you will hear from us."
            ),
        ),
        Some(Ending::Dissolved) | None => Words::of(
            "Your tandem has ended",
            format!(
                "The tandem with {partner} has ended, and its future sessions are off. You will hear from us."
            ),
        ),
    }
}

fn until(day: Option<Date>, before: &str, after: &str) -> String {
    day.map(|day| format!("{before}{}{after}", day.strftime("%A, %-d %B %Y"))).unwrap_or_default()
}

fn when(start: Option<&Zoned>) -> String {
    start.map(|start| start.strftime("%A, %-d %B %Y at %H:%M (%Q)").to_string()).unwrap_or_default()
}
