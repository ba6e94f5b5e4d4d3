// The plan scenario with fhir-kit-client. What it found goes to stdout as one JSON object;
// the test that started it judges. Settings: BASE, TOKEN, PLAN, NUMBER.
import Client from "fhir-kit-client";

const { BASE, TOKEN, PLAN, NUMBER } = process.env;
const client = new Client({ baseUrl: BASE, bearerToken: TOKEN });
const told = {};

const key = (resource) => `${resource.resourceType}/${resource.id}`;
const resources = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource);
const http = (resource) => Client.httpFor(resource).response;

async function refused(attempt) {
  try {
    return { status: http(await attempt).status };
  } catch (error) {
    return {
      status: error.response.status,
      type: error.response.data.resourceType,
      code: error.response.data.issue[0].code,
    };
  }
}

async function pages(first) {
  const found = [];
  for (let page = first; page; page = await client.nextPage({ bundle: page })) {
    found.push(page);
  }
  return found;
}

const statement = await client.capabilityStatement();
told.fhirVersion = statement.fhirVersion;
told.types = statement.rest[0].resource.map((one) => one.type);

const byNumber = await client.search({
  resourceType: "CarePlan",
  searchParams: { "patient.identifier": `urn:oid:1.2.208.176.1.2|${NUMBER}` },
  options: { postSearch: true },
});
told.byNumber = resources(byNumber).map((one) => one.id);

const plan = await client.read({ resourceType: "CarePlan", id: PLAN });
told.plan = plan;
told.etag = http(plan).headers.get("etag");
const patient = await client.resolve({ reference: plan.subject.reference });
told.patient = key(patient);

const history = await client.history({ resourceType: "CarePlan", id: PLAN });
told.versions = resources(history).map((one) => one.meta.versionId);
const first = await client.vread({ resourceType: "CarePlan", id: PLAN, version: "1" });
told.first = first;
told.firstInHistory = resources(history).find((one) => one.meta.versionId === "1");

const included = await client.search({
  resourceType: "CarePlan",
  searchParams: { _id: PLAN, _include: ["CarePlan:goal", "CarePlan:subject"] },
});
told.included = included.entry.map((entry) => [entry.search.mode, entry.resource.resourceType]);

const goals = await client.search({
  resourceType: "Goal",
  searchParams: { patient: told.patient, _count: 1 },
});
told.pages = (await pages(goals)).map((page) => resources(page).map(key));
told.total = goals.total;

const whole = await client.operation({
  name: "everything",
  resourceType: "CarePlan",
  id: PLAN,
  method: "GET",
});
told.everything = resources(whole).map(key);
const asked = await client.operation({
  name: "everything",
  resourceType: "CarePlan",
  id: PLAN,
  input: {
    resourceType: "Parameters",
    parameter: [{ name: "_type", valueString: "Goal" }],
  },
});
told.everyGoal = resources(asked).map(key);

told.nobody = await refused(client.read({ resourceType: "CarePlan", id: "nobody" }));
told.number = await refused(
  client.search({ resourceType: "Patient", searchParams: { identifier: NUMBER } }),
);

process.stdout.write(JSON.stringify(told));
