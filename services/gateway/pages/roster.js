// The upload of the programme office: a file, how far it is, what became of its lines, and the runs that wait for a decision.

import { button, call, failure, figures, make, nameOf, read, say, table, time, upload, words } from "./dom.js";

const ISSUES_SHOWN_MAX = 50;
const ASK_AGAIN_MILLISECONDS = 400;
const HOLDS = {
  SYNC_MODE_DELTA: "changes",
  SYNC_MODE_FULL_SNAPSHOT: "everybody",
  SYNC_MODE_SINGLE_CHANGES: "single changes",
};

const form = document.getElementById("upload");
const outcome = document.getElementById("operation");
const runs = document.getElementById("runs");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const send = form.querySelector("button");
  send.disabled = true;
  try {
    await follow(await upload(`/imports?${parameters()}`, form.file.files[0]));
  } catch (error) {
    outcome.hidden = false;
    outcome.replaceChildren(failure(error));
  }
  send.disabled = false;
});

function parameters() {
  const asked = new URLSearchParams({ mode: form.mode.value, dryRun: form.dry.checked, leaversPercentMax: form.leavers.value });
  if (form.expected.value !== "") asked.set("expectedPeople", form.expected.value);
  return asked;
}

/** Shows how far an operation is, until it has ended. */
async function follow(operation) {
  const bar = make("progress", { max: "100", "aria-label": "Progress of the upload" });
  const text = make("span");
  outcome.hidden = false;
  outcome.replaceChildren(make("h2", { id: "outcome" }, "Upload"), make("p", { class: "line" }, bar, text));
  while (operation.state === "STATE_RUNNING") {
    bar.value = operation.progressPercent;
    text.textContent = `${operation.progressPercent} %`;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MILLISECONDS));
    operation = await read(`/operations/${operation.operationId}`);
  }
  outcome.replaceChildren(...(await ended(operation)));
  say(await became(operation));
  await showRuns();
}

/** What became of an upload as a whole: its run may wait for somebody, or nobody leave by it. */
async function became({ state, syncRunId }) {
  const run = syncRunId ? await read(`/sync-runs/${syncRunId}`) : null;
  if (run?.state === "STATE_HELD") return "Upload: held. Somebody must decide below who leaves.";
  return `Upload: ${words(run?.state === "STATE_ABORTED" ? run.state : state, "STATE")}.`;
}

async function ended(operation) {
  const { counts, operationId: id } = operation;
  const heading = operation.dryRun ? "What the upload would do" : "What the upload did";
  const { issues } = await read(`/operations/${id}/issues?pageSize=${ISSUES_SHOWN_MAX}`);
  const more = operation.issueCount - issues.length;
  return [
    make("h2", { id: "outcome" }, heading),
    operation.detail ? make("p", { class: "problem", role: "alert" }, operation.detail) : null,
    operation.syncRunId ? figures(figuresOf(counts)) : null,
    make(
      "p",
      { class: "quiet-text" },
      operation.encoding ? `Read as ${operation.encoding}, cells separated by ${separator(operation.delimiter)}. ` : "",
      make("a", { href: `/api/v1/operations/${id}/report`, download: "import-report.csv" }, "Report of every line as CSV"),
    ),
    table(
      more > 0 ? `The first ${issues.length} of ${operation.issueCount} issues` : "Issues",
      ["Line", "Person", "Column", "What", "Taken over"],
      issues.map((issue) => [
        issue.line === 0 ? "–" : `${issue.line}`,
        issue.key || "–",
        issue.column || "–",
        issue.detail,
        issue.refused ? { class: "missed", text: "no" } : "yes",
      ]),
    ),
  ].filter((part) => part !== null);
}

const figuresOf = (counts) => [
  ["New", counts.created],
  ["Changed", counts.updated],
  ["As before", counts.unchanged],
  ["Rejected", counts.rejected],
  ["Older than known", counts.stale],
  ["For a later day", counts.scheduled],
  ["Leaving by absence", counts.left],
];

const separator = (delimiter) => (delimiter === "\t" ? "tab" : delimiter);

/** The latest runs of the roster: who was held back leaves when it is released, and one that was left open keeps others waiting. */
async function showRuns() {
  const { syncRuns } = await read("/sync-runs?sourceId=roster&pageSize=10");
  const rows = syncRuns.map((run) => [
    time(run.createTime),
    HOLDS[run.mode],
    run.dryRun ? "tried" : words(run.state, "STATE"),
    run.detail || "–",
    decisions(run),
  ]);
  runs.replaceChildren(make("h2", {}, "Latest uploads"), table("Runs", ["Begun", "Holds", "State", "Why", "Decide"], rows));
}

function decisions(run) {
  const decide = (what) => call("POST", `/sync-runs/${run.syncRunId}/${what}`, {});
  const drop = async () => {
    await decide("drop");
    return run.dryRun ? null : "Whoever the file brought in stays; a file of everybody makes those leave who are not in it.";
  };
  if (run.state === "STATE_HELD") {
    return make(
      "span",
      { class: "line" },
      button(`Let ${run.stats.left} leave`, () => decide("release"), showRuns),
      button("Nobody leaves", drop, showRuns),
    );
  }
  // The single changes of a day end with it.
  const isLeftOpen = run.state === "STATE_OPEN" && run.mode !== "SYNC_MODE_SINGLE_CHANGES";
  return isLeftOpen ? button("Give up", drop, showRuns) : "–";
}

const { person } = document.getElementById("app").dataset;
if (person) nameOf(person).then((name) => document.getElementById("who").prepend(`${name}, `));
showRuns().catch((error) => runs.replaceChildren(failure(error)));
