// What a mentor, a mentee and an assistant see.

import { NEEDS, button, call, ifAllowed, list, make, nameOf, read, table, time, words } from "./dom.js";

/** The caller's own tandems, with what can be done now. */
export async function tandems(edition, person, again) {
  const tandems = await list(`/editions/${edition.editionId}/tandems`, "tandems");
  if (tandems.length === 0) return [make("h2", {}, "Your tandem"), ...(await standing(edition))];
  return (await Promise.all(tandems.map((tandem) => oneTandem(edition, tandem, person, again)))).flat();
}

/** Where an application or an obligation stands while there is no tandem. */
async function standing(edition) {
  const [applications, obligations] = await Promise.all([
    ifAllowed(list(`/editions/${edition.editionId}/applications`, "applications")),
    ifAllowed(list(`/editions/${edition.editionId}/obligations`, "obligations")),
  ]);
  const rows = [
    ...(applications ?? []).map((entry) => ["Application", words(entry.state, "STATE"), entry.promisedDate]),
    ...(obligations ?? []).map((entry) => ["Obligation", words(entry.state, "STATE"), entry.dueDate]),
  ];
  return [
    make("p", {}, "You have no tandem in this edition."),
    rows.length > 0 ? table("How it stands", ["What", "State", "Answer by"], rows) : "",
  ];
}

async function oneTandem(edition, tandem, person, again) {
  const path = `/editions/${edition.editionId}/tandems/${tandem.tandemId}`;
  const isMentor = tandem.mentorPersonId === person;
  const partner = await nameOf(isMentor ? tandem.menteePersonId : tandem.mentorPersonId);
  const parts = [
    make("h2", {}, `Your tandem with ${partner}`),
    make("p", {}, `You are the ${isMentor ? "mentor" : "mentee"}; the tandem is ${words(tandem.state, "STATE")}.`),
  ];
  if (tandem.state === "STATE_PUBLISHED") parts.push(...answer(path, tandem, isMentor, again));
  const series = await ifAllowed(read(`${path}/series`));
  if (!series) return parts;
  return [...parts, ...charter(path, series, isMentor, again), ...(await sessions(path, again)), ...(await questions(path, again))];
}

function answer(path, tandem, isMentor, again) {
  const accepted = isMentor ? tandem.mentorAccepted : tandem.menteeAccepted;
  if (accepted) return [make("p", {}, `You accepted; the other side has until ${time(tandem.answerBy)}.`)];
  const refusal = isMentor ? ["Decline", "decline"] : ["Veto", "veto"];
  const line = make(
    "p",
    { class: "line" },
    `Please answer by ${time(tandem.answerBy)}.`,
    button("Accept", () => call("POST", `${path}/accept`), again),
    button(refusal[0], () => call("POST", `${path}/${refusal[1]}`), again, { class: "quiet" }),
  );
  return [line, asking(path, isMentor ? tandem.mentorNeed : tandem.menteeNeed, again)];
}

function asking(path, need, again) {
  if (NEEDS[need]) return make("p", {}, `You asked the programme office about ${NEEDS[need]}: it will talk to you.`);
  const options = Object.entries(NEEDS).map(([need, text]) => make("option", { value: need }, text));
  const choice = make("select", { id: `need-${path}` }, options);
  return make(
    "p",
    { class: "line" },
    make("label", { for: choice.id }, "Before I answer I would like to know"),
    choice,
    button("Ask the office", () => call("POST", `${path}/ask`, { need: choice.value }), again, { class: "quiet" }),
  );
}

function charter(path, series, isMentor, again) {
  const accepted = isMentor ? series.mentorAcceptedCharter : series.menteeAcceptedCharter;
  const text = "What is said stays here; contact outside the hierarchy; no appraisal.";
  const heading = make("h3", {}, "Charter");
  if (accepted) return [heading, make("p", {}, `${text} You accepted it.`)];
  const accept = button("Accept the charter", () => call("POST", `${path}/charter`), again);
  return [heading, make("p", { class: "line" }, text, accept)];
}

async function sessions(path, again) {
  const sessions = await list(`${path}/sessions`, "sessions");
  const actions = (session) => {
    if (session.state !== "STATE_PLANNED") return words(session.side, "SIDE");
    const when = `session of ${time(session.startTime, session.timeZone)}`;
    const at = `${path}/sessions/${session.sessionId}`;
    return make(
      "span",
      { class: "line" },
      button("We met", () => call("POST", `${at}/hold`), again, { "aria-label": `We met: ${when}` }),
      button("Cancel", () => call("POST", `${at}/cancel`), again, { class: "quiet", "aria-label": `Cancel the ${when}` }),
    );
  };
  const rows = sessions.map((session) => [
    `Month ${session.month}`,
    time(session.startTime, session.timeZone),
    words(session.state, "STATE"),
    actions(session),
  ]);
  const columns = ["Month", "Time", "State", "What now, or by whom"];
  return [make("h3", {}, "Sessions"), table("Your sessions, in the mentee's time zone", columns, rows)];
}

async function questions(path, again) {
  const questions = await ifAllowed(list(`${path}/questions`, "questions"));
  if (!questions) return [];
  const text = make("textarea", { id: `question-${path}`, rows: "2", cols: "60", maxlength: "4000", required: true });
  const ask = () => call("POST", `${path}/questions`, { text: text.value });
  return [
    make("h3", {}, "Questions"),
    make("p", { class: "quiet-text" }, "Nobody but the two of you can read these."),
    table(
      "Question box",
      ["Question", "Asked", "Answered"],
      questions.map((question) => [question.text, time(question.askTime), question.answeredInSessionId ? "yes" : "not yet"]),
    ),
    make("p", { class: "line" }, make("label", { for: `question-${path}` }, "A new question"), text, button("Ask", ask, again)),
  ];
}

/** The checks, months after the end. */
export async function followUps(edition, person, again) {
  const followUps = (await ifAllowed(list(`/editions/${edition.editionId}/follow-ups`, "followUps"))) ?? [];
  if (followUps.length === 0) return [];
  const answer = (followUp, active) =>
    call("POST", `/editions/${edition.editionId}/follow-ups/${followUp.followUpId}/answer`, { active });
  const choice = (followUp) =>
    make(
      "span",
      { class: "line" },
      button("I still do", () => answer(followUp, true), again),
      button("No longer", () => answer(followUp, false), again, { class: "quiet" }),
    );
  const rows = followUps.map((followUp) => [
    `${followUp.months} months later`,
    followUp.dueDate,
    followUp.answered ? (followUp.active ? "alive" : "given up") : choice(followUp),
  ]);
  return [make("h2", {}, "Is the practice still alive?"), table("Follow-ups", ["When", "From", "Answer"], rows)];
}

/** The sessions of the executive for whom an assistant acts. */
export async function calendar(edition) {
  const sessions = await list(`/editions/${edition.editionId}/calendar`, "sessions");
  const rows = sessions.map((session) => [
    time(session.startTime, session.timeZone),
    time(session.endTime, session.timeZone),
    words(session.state, "STATE"),
  ]);
  return [make("h2", {}, "Calendar"), table("Sessions", ["Start", "End", "State"], rows)];
}
