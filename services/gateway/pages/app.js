// The first page: what the roles of who is signed in see of one edition.

import { failure, ifAllowed, list, make, nameOf, words } from "./dom.js";
import { asking, grid, obligations, report } from "./office.js";
import { calendar, followUps, tandems } from "./participant.js";

const app = document.getElementById("app");
const person = app.dataset.person;
const roles = new Set(app.dataset.roles.split(" "));

/** The views of each role, in the order they are shown. */
const VIEWS = {
  participant: [tandems, followUps],
  delegate: [calendar],
  office: [asking, report, grid, obligations],
  sponsor: [report, obligations],
  works_council: [report],
  auditor: [],
};

async function start() {
  const who = document.getElementById("who");
  if (person) nameOf(person).then((name) => who.prepend(`${name}, `));
  const editions = (await ifAllowed(list("/editions", "editions"))) ?? [];
  if (editions.length === 0) {
    app.append(make("p", {}, "There is no edition that you can see yet."));
    return;
  }
  const choice = make(
    "select",
    { id: "edition", onchange: () => show(editions[choice.selectedIndex]) },
    editions.map((edition) => make("option", {}, `${edition.settings.name} (${words(edition.phase, "PHASE")})`)),
  );
  app.append(make("p", { class: "line" }, make("label", { for: "edition" }, "Edition"), choice), content);
  await show(editions[0]);
}

const content = make("div", { "aria-live": "off" });

async function show(edition) {
  const views = Object.entries(VIEWS).flatMap(([role, views]) => (roles.has(role) ? views : []));
  const sections = [facts, ...new Set(views)].map((view) => section(view, edition));
  content.replaceChildren(...sections);
}

/** A part of the page that reads for itself and can be read again. */
function section(view, edition) {
  const part = make("section", { "aria-busy": "true" });
  const again = async () => {
    part.setAttribute("aria-busy", "true");
    try {
      part.replaceChildren(...(await view(edition, person, again)));
    } catch (error) {
      part.replaceChildren(failure(error));
    }
    part.removeAttribute("aria-busy");
  };
  again();
  return part;
}

/** What everybody may know of an edition. */
async function facts(edition) {
  const settings = edition.settings;
  return [
    make("h2", {}, settings.name),
    make(
      "p",
      {},
      `${settings.months} months from ${settings.startDate}, one session of ${settings.sessionMinutes} minutes each; ` +
        `${edition.obligedCount} executives are obliged. Topics: ${settings.topics.map((topic) => topic.title).join(", ")}.`,
    ),
  ];
}

start().catch((error) => app.append(failure(error)));
