// What a run of cargo-mutants came to: the score, the survivors, and docs/mutants.md.

/** The least share of the mutants that could be built that a test must mind, in percent. */
export const LEAST = 95;

/**
 * @param {{ outcomes: { scenario: unknown, summary: string }[] }} run the outcomes.json of a run
 * @param {Record<string, string>} reasons why a mutant may survive, by its name
 */
export function judge({ outcomes }, reasons) {
  const files = new Map();
  const survivors = [];
  for (const { scenario, summary } of outcomes) {
    const mutant = scenario?.Mutant;
    if (!mutant) continue;
    const counts = files.get(mutant.file) ?? { caught: 0, missed: 0, unviable: 0 };
    files.set(mutant.file, counts);
    if (summary === "CaughtMutant" || summary === "Timeout") counts.caught += 1;
    else if (summary === "Unviable") counts.unviable += 1;
    else {
      counts.missed += 1;
      survivors.push({ name: nameOf(mutant), place: placeOf(mutant), reason: reasons[nameOf(mutant)] });
    }
  }
  const total = sum([...files.values()]);
  const names = new Set(survivors.map(({ name }) => name));
  return {
    files,
    total,
    survivors,
    score: scoreOf(total),
    unknown: survivors.filter(({ reason }) => !reason),
    late: Object.keys(reasons).filter((name) => !names.has(name)),
  };
}

/** The outcomes of runs one after another: the last word on each mutant. */
export function merge(...runs) {
  return [...new Map(runs.flat().map((outcome) => [outcome.scenario?.Mutant?.name, outcome])).values()];
}

/**
 * In words for people, and for the next run to differ from. What an earlier report says of files that were not tried now
 * stays, with its date.
 */
export function report(judged, date, earlier = "") {
  const before = readReport(earlier);
  const files = new Map([...before.files, ...[...judged.files].map(([file, counts]) => [file, { ...counts, date }])]);
  const others = before.survivors.filter(({ name }) => !judged.files.has(name.split(": ")[0]));
  const survivors = [...others, ...judged.survivors];
  const total = sum([...files.values()]);
  const row = (file, counts) =>
    `| \`${file}\` | ${counts.caught + counts.missed} | ${counts.caught} | ${counts.missed} | ${percent(scoreOf(counts))} | ${counts.date} |`;
  const lines = [
    "# Mutants",
    "",
    "Written by `make mutants`, which changes the code that checks input in one place at a time and runs the protocol's tests.",
    "",
    `**${percent(scoreOf(total))}** of ${total.caught + total.missed} mutants were noticed; at least ${LEAST} % must be.`,
    "",
    "| File | Mutants | Noticed | Survived | Score | Tried on |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...[...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([file, counts]) => row(file, counts)),
    "",
    "## Survivors",
    "",
    ...(survivors.length ? survivors.map(({ name, reason }) => `- \`${name}\`: ${reason ?? "no reason is known"}`).sort() : ["None."]),
    "",
  ];
  return lines.join("\n");
}

/** The rows and the survivors of a report. */
function readReport(text) {
  const rows = text.matchAll(/^\| `(.+?)` \| \d+ \| (\d+) \| (\d+) \| [\d.]+ % \| (\S+) \|$/gm);
  const files = new Map([...rows].map(([, file, caught, missed, date]) => [file, { caught: Number(caught), missed: Number(missed), unviable: 0, date }]));
  const survivors = [...text.matchAll(/^- `(.+?)`: (.+)$/gm)].map(([, name, reason]) => ({ name, reason }));
  return { files, survivors };
}

export const percent = (score) => `${score.toFixed(1)} %`;

const scoreOf = ({ caught, missed }) => (caught + missed ? (100 * caught) / (caught + missed) : 100);

const sum = (all) =>
  all.reduce(
    (total, one) => ({ caught: total.caught + one.caught, missed: total.missed + one.missed, unviable: total.unviable + one.unviable }),
    { caught: 0, missed: 0, unviable: 0 },
  );

/** cargo-mutants names a mutant with its line and column, which change with every edit above it. */
const nameOf = (mutant) => mutant.name.replace(/^([^:]+):\d+:\d+: /, "$1: ");
const placeOf = (mutant) => mutant.name.match(/^[^:]+:\d+/)?.[0] ?? mutant.file;
