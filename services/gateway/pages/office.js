// What the programme office, the sponsor and the works council see.

import { NEEDS, figures, list, make, nameOf, percent, read, table, time, words } from "./dom.js";

const MARKS = {
  OUTCOME_PLANNED: ["", "planned"],
  OUTCOME_HELD: ["held", "held"],
  OUTCOME_CANCELLED_BY_MENTOR: ["cancelled", "cancelled by mentor"],
  OUTCOME_CANCELLED_BY_MENTEE: ["cancelled", "cancelled by mentee"],
  OUTCOME_MISSED_BY_MENTOR: ["missed", "mentor did not come"],
  OUTCOME_MISSED_BY_MENTEE: ["missed", "mentee did not come"],
  OUTCOME_EXCUSED: ["", "excused"],
  OUTCOME_ENDED: ["", "ended"],
  OUTCOME_OPEN: ["open", "not recorded"],
};

/** Tandems by months: what happened. */
export async function grid(edition) {
  const { rows } = await read(`/editions/${edition.editionId}/cadence-grid`);
  const months = Math.max(0, ...rows.flatMap((row) => row.cells.map((cell) => cell.month)));
  const columns = ["Tandem", ...Array.from({ length: months }, (_, index) => `Month ${index + 1}`)];
  const body = await Promise.all(
    rows.map(async (row) => {
      const pair = `${await nameOf(row.mentorPersonId)} → ${await nameOf(row.menteePersonId)}`;
      const cells = Array(months).fill("");
      for (const cell of row.cells) {
        const [style, text] = MARKS[cell.outcome] ?? ["", words(cell.outcome, "OUTCOME")];
        cells[cell.month - 1] = { class: style, text: cell.moves > 0 ? `${text}, moved ${cell.moves}×` : text };
      }
      return [pair, ...cells];
    }),
  );
  return [make("h2", {}, "Cadence"), table("Mentor → mentee, by month", columns, body)];
}

/** Who would like to know something from the office before answering an offer. */
export async function asking(edition) {
  const tandems = await list(`/editions/${edition.editionId}/tandems`, "tandems");
  const offers = tandems.filter((tandem) => tandem.state === "STATE_PUBLISHED");
  const sides = offers.flatMap(({ mentorPersonId: mentor, menteePersonId: mentee, mentorNeed, menteeNeed, answerBy }) => [
    [mentor, "mentor", mentorNeed, mentee, answerBy],
    [mentee, "mentee", menteeNeed, mentor, answerBy],
  ]);
  const rows = sides
    .filter(([, , need]) => NEEDS[need])
    .map(async ([who, as, need, other, by]) => [await nameOf(who), as, NEEDS[need], await nameOf(other), time(by)]);
  const columns = ["Who", "As the", "Would like to know", "Offered with", "Answers by"];
  return [make("h2", {}, "Asked before answering"), table("Offers to talk about", columns, await Promise.all(rows))];
}

/** The report of the board. */
export async function report(edition) {
  const report = await read(`/editions/${edition.editionId}/report`);
  const { consistency: index, funnel, obligations, cancellations } = report;
  const topics = new Map(edition.settings.topics.map((topic) => [topic.topicId, topic.title]));
  const topic = (id) => topics.get(id) ?? id;
  const number = (entry, value) => (entry.suppressed ? "too few to show" : (value ?? "–"));
  return [
    make("h2", {}, "Consistency"),
    ...meetings(index, report),
    make("h3", {}, "Funnel"),
    figures([
      ["Applied", funnel.applied],
      ["Asked back", funnel.askedBack],
      ["Accepted", funnel.accepted],
      ["In reserve", funnel.waitlisted],
      ["Declined", funnel.declined],
      ["Withdrawn", funnel.withdrawn],
      ["Tandems offered", funnel.proposed],
      ["Both accepted", funnel.activated],
      ["Refused", funnel.refused],
      ["Ended early", funnel.dissolved],
      ["Met until the end", funnel.completed],
    ]),
    make("h3", {}, "Obligations"),
    figures([
      ["Obliged", obligations.obliged],
      ["Due", obligations.due],
      ["Acknowledged", obligations.acknowledged],
      ["Fulfilled", obligations.fulfilled],
      ["Excused", obligations.excused],
      ["Lapsed", obligations.lapsed],
    ]),
    ...failures(cancellations),
    make("h3", {}, "Persistence"),
    table(
      "Practices alive, months after the end",
      ["Months", "Active", "Answered", "Of", "Share"],
      report.persistence.map((entry) => [
        `${entry.months}`,
        number(entry, entry.active),
        number(entry, entry.respondents),
        entry.mentees,
        entry.suppressed ? "too few to show" : percent(entry.share),
      ]),
    ),
    make("h3", {}, "Topics"),
    table(
      "Needed, offered and covered",
      ["Topic", "Needed", "Offered", "Covered"],
      report.topics.map((entry) => [
        topic(entry.topicId),
        number(entry, entry.needed),
        number(entry, entry.offered),
        number(entry, entry.covered),
      ]),
    ),
    table(
      "Self-assessment, 0 never heard of it to 4 could teach it",
      ["Topic", "Answered", "Before", "After"],
      report.selfAssessments.map((entry) => [
        topic(entry.topicId),
        number(entry, entry.respondents),
        number(entry, rounded(entry.before)),
        number(entry, rounded(entry.after)),
      ]),
    ),
    make("p", { class: "quiet-text" }, `Groups of fewer than ${report.anonymityK} people are not shown.`),
  ];
}

/** Who is obliged and how it stands. */
export async function obligations(edition) {
  const obligations = await list(`/editions/${edition.editionId}/obligations`, "obligations");
  const rows = obligations.map((obligation) => [
    obligation.displayName,
    words(obligation.state, "STATE"),
    obligation.dueDate,
    obligation.escalation,
    words(obligation.excuseReason, "EXCUSE_REASON"),
  ]);
  rows.sort(([one], [other]) => one.localeCompare(other));
  const columns = ["Executive", "State", "To acknowledge by", "Reminders", "Excused because"];
  return [make("h2", {}, "Obliged executives"), table("Obligations", columns, rows)];
}

function rounded(level) {
  return level === undefined ? undefined : Math.round(level * 10) / 10;
}

// What happened in the meetings of a small group is for the programme office alone.

function meetings(index, report) {
  if (!index) return [make("p", { class: "quiet-text" }, "Too few executives to show.")];
  return [
    figures([
      ["Consistency index", percent(index.index), `${index.sessionsHeld} held of ${index.sessionsDue} due`],
      ["Obligations fulfilled", percent(index.obligationsFulfilled), `${index.sessionsPlanned} months with a tandem`],
      ["Cadence kept", percent(index.cadenceKept), `${index.sessionsHeld} held of ${index.sessionsPlanned}`],
    ]),
    make("p", { class: "quiet-text" }, `Sessions count as due up to ${time(report.asOf)}.`),
  ];
}

function failures(cancellations) {
  if (!cancellations) return [];
  return [
    make("h3", {}, "Sessions that did not happen"),
    figures([
      ["Cancelled by mentors", cancellations.byMentor],
      ["Cancelled by mentees", cancellations.byMentee],
      ["Mentors did not come", cancellations.missedByMentor],
      ["Mentees did not come", cancellations.missedByMentee],
      ["Approved absences", cancellations.approvedAbsences],
      ["Moved inside the month", cancellations.moved],
      ["Alerts to the office", cancellations.alerts],
    ]),
  ];
}
