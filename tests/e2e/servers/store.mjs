// Where the development authorization server keeps what it knows: in this process, but outside of oidc-provider, whose own
// store ends with it and forgets the oldest of a thousand records.

/** The kinds of records that a grant's end takes along. */
const BY_GRANT = new Set(["AccessToken", "AuthorizationCode", "RefreshToken"]);

const union = (...scopes) => [...new Set(scopes.flatMap((scope) => scope?.split(" ") ?? []))].join(" ");

export function createStore() {
  /** Kind → id → { payload, until }. */
  const kinds = new Map();
  /** What people allowed clients, whatever became of the tokens since. */
  const allowed = new Map();

  const recordsOf = (kind) => kinds.get(kind) ?? kinds.set(kind, new Map()).get(kind);
  const nameOf = ({ accountId, clientId }) => `${accountId} ${clientId}`;

  /** For oidc-provider's option `adapter`. */
  const adapter = (kind) => {
    const records = recordsOf(kind);
    const live = (record) => (record && record.until > Date.now() ? record.payload : undefined);
    return {
      upsert: async (id, payload, expiresIn = Infinity) => {
        records.set(id, { payload: structuredClone(payload), until: Date.now() + expiresIn * 1000 });
      },
      find: async (id) => structuredClone(live(records.get(id))),
      findByUid: async (uid) => structuredClone([...records.values()].map(live).find((payload) => payload?.uid === uid)),
      findByUserCode: async () => undefined,
      destroy: async (id) => void records.delete(id),
      consume: async (id) => {
        records.get(id).payload.consumed = Math.floor(Date.now() / 1000);
      },
      revokeByGrantId: async (grantId) => {
        if (!BY_GRANT.has(kind)) return;
        for (const [id, { payload }] of records) if (payload.grantId === grantId) records.delete(id);
      },
    };
  };

  return {
    adapter,
    /** Notes what the person of a grant allowed. */
    allow: (grant) => {
      const { openid, resources } = allowed.get(nameOf(grant)) ?? {};
      const scope = union(openid?.scope, grant.openid?.scope);
      const of = Object.entries({ ...resources, ...grant.resources }).map(([name, scope]) => [name, union(resources?.[name], scope)]);
      allowed.set(nameOf(grant), { openid: { ...grant.openid, scope }, resources: Object.fromEntries(of) });
    },
    /** What a person allowed a client; undefined if they were never asked. */
    allowed: (whose) => structuredClone(allowed.get(nameOf(whose))),
    forget: (...names) => names.forEach((kind) => recordsOf(kind).clear()),
    clear: () => {
      for (const records of kinds.values()) records.clear();
      allowed.clear();
    },
  };
}
