//! The configuration and the servers' metadata: from a file or code, from an earlier page of this tab, from the server.

use super::super::client::{Client, ClientKey};
use super::super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::super::json::{Members, Value};
use super::super::metadata::{self, Attempt, AttemptProblem, Metadata, MetadataError};
use super::super::problem::ConfigurationError;
use super::super::site::Site;
use super::super::storage::{Record, RecordName};
use super::super::time::{Seconds, UnixTime};
use super::super::url::Url;
use super::{Configuration, DiscoveryState, Effect, Flow, ReadConfiguration, take_in_order, take_one, time_in};

/// Bounds of config.json: 10 s, 256 KiB.
const CONFIGURATION_LIMITS: Limits = Limits { deadline: Seconds(10), body: 256 * 1024 };

/// How long metadata is kept in sessionStorage.
const METADATA_LIFETIME: Seconds = Seconds(60 * 60);

impl From<Result<Metadata, MetadataError>> for DiscoveryState {
    fn from(checked: Result<Metadata, MetadataError>) -> Self {
        checked.map_or_else(|error| Self::Failed(error.into()), Self::Ready)
    }
}

impl Flow {
    // Configuration

    pub(crate) fn started(&mut self, name: &'static str, read: ReadConfiguration) {
        let Ok(url) = Url::parse(&self.site.url_of(name)) else { return };
        let fetch = self.fetch(HttpRequest {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            bearer: None,
            body: None,
            limits: CONFIGURATION_LIMITS,
            keepalive: false,
        });
        self.configuration = Configuration::Loading(Some((fetch, read)));
    }

    pub(crate) fn configured(&mut self, clients: Result<Vec<Client>, ConfigurationError>, now: UnixTime) {
        self.configuration = match clients {
            Err(error) => Configuration::Failed(error.into()),
            Ok(clients) => {
                for client in &clients {
                    self.effects.push(Effect::Read(RecordName::metadata(&client.key.issuer)));
                }
                let keys: Vec<ClientKey> = clients.iter().map(|client| client.key.clone()).collect();
                if cfg!(feature = "restore") {
                    self.effects.push(Effect::Read(RecordName::automatic()));
                }
                if cfg!(feature = "end_session") {
                    self.effects.push(Effect::Take(RecordName::sign_out()));
                }
                self.configuration = Configuration::Ready(clients);
                keys.iter().for_each(|key| self.look_for_session(key));
                // A session that began before it was known how long it may be idle, and how far clocks may differ.
                self.idle_woke(now);
                return self.arm(now);
            }
        };
    }

    /// Looks for a session that an earlier page or another tab has kept.
    fn look_for_session(&mut self, key: &ClientKey) {
        let Some(client) = self.client(key) else { return };
        let storage = client.token_storage;
        self.effects.push(Effect::Read(RecordName::signed_out(key)));
        if storage.is_session() {
            self.look_for_kept(key);
        } else if storage.is_shared() {
            self.look_for_shared(key, false);
        } else {
            self.restore_if_lost(key);
        }
    }

    /// Where there was none of this key, its session may be kept; its metadata is asked for when somebody wants to sign in.
    pub(crate) fn client_added(&mut self, client: Client) {
        let key = client.key.clone();
        take_one(&mut self.discoveries, |(known, _)| *known == key);
        if let Configuration::Ready(clients) = &mut self.configuration {
            let known = take_in_order(clients, |known| known.key == key);
            clients.push(client);
            if known.is_none() && self.session(&key).is_none() {
                self.look_for_session(&key);
            }
        }
    }

    /// A record of an earlier page: a session is taken up, metadata saves a round trip, garbage is neither.
    pub(crate) fn read(&mut self, name: &RecordName, record: Option<Record>, now: UnixTime) {
        if self.keys_read(name, record.as_ref(), now) || self.record_of_client(name, record.as_ref(), now) {
            return;
        }
        let Some(Record(record)) = record else { return };
        if cfg!(feature = "restore") && *name == RecordName::automatic() {
            return self.automatic_read(&record);
        }
        let mut discovered = Vec::new();
        for client in self.clients() {
            if *name == RecordName::metadata(&client.key.issuer) && self.discovery(&client.key).is_none() {
                discovered.extend(cached_metadata(&record, client, &self.site, now));
            }
        }
        self.discoveries.extend(discovered);
    }

    /// A record about one client's session was looked for; whether `name` is one.
    fn record_of_client(&mut self, name: &RecordName, record: Option<&Record>, now: UnixTime) -> bool {
        let is_of = |key: &ClientKey, named: fn(&ClientKey) -> RecordName| *name == named(key);
        let find = |flow: &Self, named: fn(&ClientKey) -> RecordName| {
            flow.clients().iter().map(|client| &client.key).find(|key| is_of(key, named)).cloned()
        };
        let keeps = cfg!(any(feature = "session_storage", feature = "shared_storage"));
        if let Some(key) = find(self, RecordName::session).filter(|_| keeps) {
            // Whoever signed out while it was read wants none.
            let is_looked_for = take_one(&mut self.restoring, |search| search.key == key).is_some();
            if self.upkeep(&key).is_some() {
                self.session_found(&key, record.cloned(), now);
            } else if is_looked_for {
                let session = record.and_then(|record| self.decode_session(&key, record));
                session.into_iter().for_each(|session| self.restore(session, false, now));
                self.restore_if_lost(&key);
            }
        } else if cfg!(feature = "restore")
            && let Some(key) = find(self, RecordName::restore)
        {
            if let Some(Record(record)) = record {
                self.restore_read(&key, record, now);
            }
        } else if let Some(key) = find(self, RecordName::signed_out) {
            self.signed_out_read(&key, record.map(|Record(record)| record), now);
        } else if cfg!(feature = "idle_timeout")
            && let Some(key) = find(self, RecordName::active)
        {
            self.idle_checked(&key, record.and_then(|Record(record)| record.number("at")).map(UnixTime), now);
        } else {
            return false;
        }
        true
    }

    // Metadata

    pub(crate) fn discover(&mut self, key: &ClientKey) {
        if let Some(DiscoveryState::Fetching { .. } | DiscoveryState::Ready(_)) = self.discovery(key) {
            return;
        }
        let Some(client) = self.client(key) else { return };
        if client.fetches_metadata() {
            self.attempt(key, Vec::new());
        } else {
            let checked = client.configured_metadata(&self.site);
            self.discovered(key, checked.into());
        }
    }

    /// Asks the next well-known URL; when all were asked, what is configured must do, or there is no metadata.
    pub(super) fn attempt(&mut self, key: &ClientKey, attempts: Vec<Attempt>) {
        let is_hopeless = matches!(
            attempts.last(),
            Some(Attempt { problem: AttemptProblem::Failure(HttpFailure::Offline | HttpFailure::Unsent), .. })
        );
        let request = if is_hopeless { None } else { metadata::discovery_request(&key.issuer, attempts.len()) };
        let configured = || {
            let client = self.client(key).filter(|_| cfg!(feature = "overrides"))?;
            client.configured_metadata(&self.site).ok()
        };
        let state = match request {
            Some(request) => DiscoveryState::Fetching { fetch: self.fetch(request), attempts },
            None => configured().ok_or(MetadataError::Unavailable { attempts }).into(),
        };
        self.discovered(key, state);
    }

    pub(super) fn metadata_fetched(
        &mut self,
        key: &ClientKey,
        mut attempts: Vec<Attempt>,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) {
        let policy = self.site.scheme_policy();
        let Some(client) = self.client(key) else { return };
        match metadata::read_document(outcome) {
            Ok(document) => {
                let checked = Metadata::check(&document, client.overrides(), &key.issuer, policy);
                // Whoever signed out only wants the server told: nothing is written any more.
                if checked.is_ok() && !self.is_leaving(key) {
                    let mut record = Members::default();
                    record.number("fetched_at", Some(now.0));
                    record.value("document", Some(metadata::used_members(document)));
                    self.write(RecordName::metadata(&key.issuer), record.finish());
                }
                self.discovered(key, checked.into());
            }
            Err(problem) => {
                let url = metadata::well_known_urls(&key.issuer).into_iter().nth(attempts.len());
                attempts.push(Attempt { url: url.unwrap_or_default(), problem });
                self.attempt(key, attempts);
            }
        }
        self.userinfo_metadata_changed(key, now);
        self.farewells_go_on(now);
        self.round_trips_go_on(now);
        self.proceed(now);
    }

    fn discovered(&mut self, key: &ClientKey, state: DiscoveryState) {
        take_one(&mut self.discoveries, |(known, _)| known == key);
        self.discoveries.push((key.clone(), state));
        self.want_keys_of(key);
    }

    /// Drops a discovery that is on its way; one that is done stays, for it says nothing about anybody.
    pub(super) fn cancel_discovery(&mut self, key: &ClientKey) {
        if let Some(DiscoveryState::Fetching { fetch, .. }) = self.discovery(key) {
            self.effects.push(Effect::CancelFetch(*fetch));
            take_one(&mut self.discoveries, |(known, _)| known == key);
        }
    }
}

/// Metadata as an earlier page of this tab stored it, checked again; `None` if it is too old or no longer fits.
fn cached_metadata(record: &Value, client: &Client, site: &Site, now: UnixTime) -> Option<(ClientKey, DiscoveryState)> {
    let fetched_at = time_in(record, "fetched_at", now)?;
    if !client.fetches_metadata() || now.since(fetched_at) > METADATA_LIFETIME {
        return None;
    }
    let document = record.member("document")?;
    let checked = Metadata::check(document, client.overrides(), &client.key.issuer, site.scheme_policy()).ok()?;
    Some((client.key.clone(), DiscoveryState::Ready(checked)))
}
