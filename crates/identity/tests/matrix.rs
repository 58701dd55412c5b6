//! Who may do what: the whole table, and by hand the cells that a promise depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs};

use identity::{Caller, Guard, PersonId, Resource, Role, Scope, SourceId};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/matrix.txt");
const LEGEND: &str = "\
# Who may do what: action × role. This table is made from the policies by the test beside it; with
# UPDATE_EXPECT=1 the test writes it anew. Every change here is a change of somebody's rights.
#
#   -          nothing
#   any        every record, and all of them at once
#   own        a record whose owner the caller is
#   party      a record of a tandem to which the caller belongs
#   delegated  a record of a tandem to which the executive belongs for whom the caller acts
#   other      a record of other people
#   source     a record of the source of the directory for which the caller speaks
#   foreign    a record of another source
#   roster     a record of the source that is the programme office's own
#   all        all records at once
#   public     a record that is about nobody

";

/// A caller with this role and what stands in each relation to them.
fn relations(role: Role) -> (Caller, [(&'static str, Resource); 9]) {
    let [me, boss, mentor, mentee] = [(); 4].map(|()| PersonId::mint());
    let caller = match role {
        Role::Hris => Caller::hris(source("payroll")),
        Role::Ops | Role::Service => Caller::system(role),
        Role::Delegate => Caller::delegate(me, boss),
        _ => Caller::of(me, [role]),
    };
    let other = Resource { parties: vec![mentor, mentee], ..Resource::of(mentee) };
    let relations = [
        ("own", Resource::of(me)),
        ("party", Resource::between(&[me, mentee])),
        ("delegated", Resource::between(&[mentor, boss])),
        ("other", other),
        ("source", Resource::of_source(source("payroll"))),
        ("foreign", Resource::of_source(source("time-clock"))),
        ("roster", Resource::of_source(source("roster"))),
        ("all", Resource::everything()),
        ("public", Resource::public()),
    ];
    (caller, relations)
}

fn source(name: &str) -> SourceId {
    name.parse().expect("a name of a source")
}

fn cell(guard: &Guard, action: &str, role: Role) -> String {
    let (caller, relations) = relations(role);
    let permitted: Vec<_> = relations
        .iter()
        .filter(|(_, resource)| guard.check(&caller, action, resource).is_ok())
        .map(|(relation, _)| *relation)
        .collect();
    match permitted.len() {
        0 => "-".to_owned(),
        all if all == relations.len() => "any".to_owned(),
        _ => permitted.join("+"),
    }
}

fn table(guard: &Guard) -> String {
    let header = [vec!["action"], Role::ALL.map(Role::name).to_vec()].concat();
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for action in guard.actions() {
        let cells = Role::ALL.map(|role| cell(guard, action, role));
        rows.push([vec![action.to_owned()], cells.to_vec()].concat());
    }
    let columns = 0..=Role::ALL.len();
    let widths: Vec<_> =
        columns.map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    LEGEND.to_owned() + &rows.iter().map(line).collect::<String>()
}

#[test]
fn the_table_of_rights_is_as_checked_in() {
    let actual = table(&Guard::new().unwrap());
    if env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        fs::write(TABLE, &actual).unwrap();
    }
    let expected = fs::read_to_string(TABLE).unwrap();
    assert!(actual == expected, "rights changed; UPDATE_EXPECT=1 writes this table:\n{actual}");
}

/// The roles to which the given relation to a record permits the action.
fn permitted(guard: &Guard, action: &str, relation: &str) -> Vec<Role> {
    let may = |role: &Role| {
        let (caller, relations) = relations(*role);
        let relations = BTreeMap::from(relations);
        guard.check(&caller, action, &relations[relation]).is_ok()
    };
    Role::ALL.into_iter().filter(may).collect()
}

#[test]
fn content_is_for_the_two_of_a_tandem_alone() {
    let guard = Guard::new().unwrap();
    let content = [
        "AcceptCharter",
        "AskQuestion",
        "ListQuestions",
        "AgreeAction",
        "CompleteAction",
        "ListActions",
        "AnswerPulse",
        "HoldSession",
    ];
    for action in content {
        assert_eq!(permitted(&guard, action, "party"), [Role::Participant], "{action}");
        for relation in ["own", "delegated", "other", "all", "public"] {
            assert_eq!(permitted(&guard, action, relation), [], "{action} on {relation}");
        }
    }
}

#[test]
fn every_hat_at_once_opens_no_other_tandem() {
    let guard = Guard::new().unwrap();
    let caller = Caller::of(PersonId::mint(), Role::ALL);
    let theirs = Resource::between(&[PersonId::mint(), PersonId::mint()]);
    for action in ["ListQuestions", "ListActions", "HoldSession", "AcceptTandem", "DissolveTandem"] {
        assert!(guard.check(&caller, action, &theirs).is_err(), "{action}");
        assert!(guard.check(&caller, action, &Resource::everything()).is_err(), "{action}");
    }
}

#[test]
fn an_office_member_in_a_tandem_is_a_party_of_it() {
    let guard = Guard::new().unwrap();
    let (me, mentor) = (PersonId::mint(), PersonId::mint());
    let mine = Resource::between(&[mentor, me]);
    let both = Caller::of(me, [Role::Office, Role::Participant]);
    assert!(guard.check(&both, "ListQuestions", &mine).is_ok());
    assert!(guard.check(&Caller::of(me, [Role::Office]), "ListQuestions", &mine).is_err());
}

#[test]
fn the_people_list_is_for_the_office_and_the_services() {
    let guard = Guard::new().unwrap();
    for relation in ["other", "all", "public"] {
        assert_eq!(permitted(&guard, "ListPeople", relation), [Role::Office, Role::Service]);
        assert_eq!(permitted(&guard, "GetPerson", relation), [Role::Office, Role::Service]);
        assert_eq!(permitted(&guard, "GetContact", relation), [Role::Service]);
    }
}

#[test]
fn the_facts_of_tandems_are_for_the_office_alone() {
    let guard = Guard::new().unwrap();
    for action in ["GetTandem", "ListTandems", "GetSeries", "ListSessions", "GetCadenceGrid"] {
        for relation in ["other", "all"] {
            assert_eq!(permitted(&guard, action, relation), [Role::Office], "{action} on {relation}");
        }
    }
    assert_eq!(permitted(&guard, "GetCadenceGrid", "party"), [Role::Office]);
}

#[test]
fn the_sponsor_sees_obligations_reports_and_rules_and_nothing_else_of_others() {
    let guard = Guard::new().unwrap();
    let (sponsor, relations) = relations(Role::Sponsor);
    let other = &relations[3].1;
    let seen: Vec<_> =
        guard.actions().into_iter().filter(|action| guard.check(&sponsor, action, other).is_ok()).collect();
    let expected = [
        "GetEdition",
        "GetObligation",
        "GetReport",
        "GetScoringRules",
        "ListEditions",
        "ListObligations",
        "ListScoringRules",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_works_council_and_the_auditor_see_no_record_of_others() {
    let guard = Guard::new().unwrap();
    for (role, expected) in [
        (
            Role::WorksCouncil,
            &[
                "GetEdition",
                "GetReport",
                "GetScoringRules",
                "ListEditions",
                "ListScoringRules",
                "ListSources",
            ][..],
        ),
        (
            Role::Auditor,
            &["GetEdition", "GetScoringRules", "ListEditions", "ListScoringRules", "ListSources"],
        ),
        (Role::Ops, &[]),
    ] {
        let (caller, relations) = relations(role);
        let other = &relations[3].1;
        let seen: Vec<_> = guard
            .actions()
            .into_iter()
            .filter(|action| guard.check(&caller, action, other).is_ok())
            .collect();
        assert_eq!(seen, expected, "{role}");
    }
}

#[test]
fn a_run_speaks_of_everybody_and_only_the_office_hears_it() {
    let guard = Guard::new().unwrap();
    for action in ["GetMatchRun", "ListMatchRuns", "ExplainMatch", "PriceMatchRun", "CompareScoringRules"] {
        for relation in ["own", "party", "other", "all", "public"] {
            assert_eq!(permitted(&guard, action, relation), [Role::Office], "{action} on {relation}");
        }
    }
    assert_eq!(permitted(&guard, "ExplainTandem", "party"), [Role::Participant, Role::Office]);
    assert_eq!(permitted(&guard, "ExplainTandem", "other"), [Role::Office]);
    assert_eq!(permitted(&guard, "SetScoringRules", "public"), [Role::Office]);
}

#[test]
fn nobody_but_the_office_sees_or_decides_anothers_application() {
    let guard = Guard::new().unwrap();
    for action in ["GetApplication", "ListApplications"] {
        assert_eq!(permitted(&guard, action, "other"), [Role::Office]);
        assert_eq!(permitted(&guard, action, "own"), [Role::Participant, Role::Office]);
    }
    for action in ["AcceptApplication", "DeclineApplication", "WaitlistApplication", "RequestInformation"] {
        assert_eq!(permitted(&guard, action, "own"), [Role::Office]);
    }
    for action in ["SubmitApplication", "WithdrawApplication", "ProvideInformation"] {
        assert_eq!(permitted(&guard, action, "other"), []);
    }
}

#[test]
fn an_assistant_keeps_one_calendar_and_reads_no_content() {
    let guard = Guard::new().unwrap();
    let (delegate, relations) = relations(Role::Delegate);
    let executives = &relations[2].1;
    let may: Vec<_> = guard
        .actions()
        .into_iter()
        .filter(|action| guard.check(&delegate, action, executives).is_ok())
        .collect();
    let calendar = ["GetSeries", "ListSessions", "ListCalendar", "MoveSession", "CancelSession"];
    let rules = ["GetEdition", "GetPerson", "GetScoringRules", "ListEditions", "ListScoringRules"];
    assert_eq!(BTreeSet::from_iter(may), calendar.into_iter().chain(rules).collect());
    assert!(guard.check(&delegate, "ListSessions", &relations[3].1).is_err());
}

#[test]
fn participants_read_published_reports_only() {
    let guard = Guard::new().unwrap();
    let readers = [Role::Office, Role::Sponsor, Role::WorksCouncil];
    assert_eq!(permitted(&guard, "GetReport", "all"), readers);
    assert_eq!(permitted(&guard, "GetReport", "public"), [&[Role::Participant][..], &readers].concat());
}

#[test]
fn a_source_delivers_its_own_workers_and_nobody_elses() {
    let guard = Guard::new().unwrap();
    let deliveries = [
        "CreateSyncRun",
        "UpsertWorkers",
        "FinishSyncRun",
        "WatchWorkers",
        "GetWorker",
        "ListWorkers",
        "PutWorker",
        "RemoveWorker",
    ];
    for action in deliveries {
        assert_eq!(permitted(&guard, action, "source"), [Role::Hris], "{action}");
        for relation in ["own", "party", "other", "foreign", "all", "public"] {
            assert_eq!(permitted(&guard, action, relation), [], "{action} on {relation}");
        }
        let of_the_roster: &[Role] = if action == "RemoveWorker" { &[Role::Office] } else { &[] };
        assert_eq!(permitted(&guard, action, "roster"), of_the_roster, "{action} on the roster");
    }
    for action in ["GetSyncRun", "ListSyncRuns", "ListSyncRunIssues", "DropSyncRun"] {
        assert_eq!(permitted(&guard, action, "source"), [Role::Office, Role::Hris], "{action}");
        assert_eq!(permitted(&guard, action, "foreign"), [Role::Office], "{action}");
    }
    assert_eq!(permitted(&guard, "ReleaseSyncRun", "source"), [Role::Office]);
}

#[test]
fn a_system_without_a_source_delivers_to_none() {
    let guard = Guard::new().unwrap();
    let payroll = Resource::of_source(source("payroll"));
    for action in ["CreateSyncRun", "PutWorker", "GetSyncRun", "WatchWorkers"] {
        assert!(guard.check(&Caller::system(Role::Hris), action, &payroll).is_err(), "{action}");
        assert!(guard.check(&Caller::system(Role::Hris), action, &Resource::public()).is_err(), "{action}");
    }
    // The claim alone makes nobody an HR system.
    let claims =
        Caller { source: Some(source("payroll")), ..Caller::of(PersonId::mint(), [Role::Participant]) };
    assert!(guard.check(&claims, "PutWorker", &payroll).is_err());
}

#[test]
fn sources_are_kept_by_the_office_and_their_rules_seen_by_those_who_watch_over_rules() {
    let guard = Guard::new().unwrap();
    let kept = [
        "CreateSource",
        "UpdateSource",
        "CreateSourceCredential",
        "ListSourceCredentials",
        "RevokeSourceCredential",
    ];
    for relation in ["source", "foreign", "all", "public"] {
        for action in kept {
            assert_eq!(permitted(&guard, action, relation), [Role::Office], "{action} on {relation}");
        }
        let readers = [Role::Office, Role::WorksCouncil, Role::Auditor];
        assert_eq!(permitted(&guard, "ListSources", relation), readers);
        assert_eq!(permitted(&guard, "AuthenticateSource", relation), [Role::Service]);
    }
}

#[test]
fn an_unknown_action_is_denied_to_everybody() {
    let guard = Guard::new().unwrap();
    let caller = Caller::of(PersonId::mint(), Role::ALL);
    for action in ["", "DropEverything", "getedition", "GetEdition\"", "Action::\"GetEdition\""] {
        let denied = guard.check(&caller, action, &Resource::public()).unwrap_err();
        assert_eq!(denied.action, action);
    }
}

#[test]
fn two_systems_that_are_nobody_do_not_own_what_is_nobodys() {
    let guard = Guard::new().unwrap();
    let nobody = Caller { person: None, ..Caller::of(PersonId::mint(), [Role::Participant]) };
    for action in ["GetPerson", "GetApplication", "ListQuestions"] {
        assert!(guard.check(&nobody, action, &Resource::public()).is_err());
        assert!(guard.scope(&nobody, action).is_err());
    }
}

#[test]
fn a_list_shows_all_or_ones_own_or_the_executives_or_nothing() {
    let guard = Guard::new().unwrap();
    let [me, boss] = [(); 2].map(|()| PersonId::mint());
    let participant = Caller::of(me, [Role::Participant]);
    assert_eq!(guard.scope(&Caller::of(me, [Role::Office]), "ListTandems"), Ok(Scope::All));
    assert_eq!(guard.scope(&participant, "ListTandems"), Ok(Scope::Own(me)));
    assert_eq!(guard.scope(&participant, "ListApplications"), Ok(Scope::Own(me)));
    assert_eq!(guard.scope(&participant, "ListEditions"), Ok(Scope::All));
    assert_eq!(guard.scope(&Caller::delegate(me, boss), "ListSessions"), Ok(Scope::Own(boss)));
    assert!(guard.scope(&Caller::delegate(me, boss), "ListTandems").is_err());
    assert!(guard.scope(&Caller::of(me, [Role::Sponsor]), "ListTandems").is_err());
    assert!(guard.scope(&participant, "ListPeople").is_err());
    assert!(guard.scope(&Caller::system(Role::Hris), "ListPeople").is_err());
}
