//! What the flow is told, and what it asks for.
//!
//! Rule: a driver performs effects in their order, and tells of each that has an answer by the event named beside it.

use std::sync::Arc;

use super::super::authorization_request::{Entropy, EntropyFailure, StorageFailure};
use super::super::challenge::StepUp;
use super::super::client::{Client, ClientKey};
use super::super::dpop::{ProofKey, ProofOrder};
use super::super::error::Error;
use super::super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::super::jws::{Verdict, Verification};
use super::super::problem::ConfigurationError;
use super::super::protected_resource::{ResourceError, ResourceRequest};
use super::super::renewal::Lock;
use super::super::site::Site;
use super::super::storage::{Record, RecordName};
#[cfg(any(feature = "session_storage", feature = "shared_storage"))]
use super::super::time::Seconds;
use super::super::time::UnixTime;
use super::super::url::Url;

/// Names one fetch, so that an answer nobody waits for any more is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchId(pub u64);

/// Names one question to WebCrypto, so that an answer nobody waits for any more is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyId(pub u64);

/// Names one question to a lock or to the shared record, so that an answer nobody waits for any more is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskId(pub u64);

/// Names one call to an API, as the driver numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(pub u64);

/// Reads the answer to the request for a configuration file; `configuration::read_configuration` is one.
#[derive(Clone, Copy)]
#[expect(clippy::type_complexity, reason = "the type is the signature of `read_configuration`, once")]
pub struct ReadConfiguration(
    pub fn(Result<HttpResponse, HttpFailure>, &Site) -> Result<Vec<Client>, ConfigurationError>,
);

/// Where the configuration comes from.
pub enum ConfigurationSource {
    /// It was made in code.
    Clients(Result<Vec<Client>, ConfigurationError>),
    /// A file below the site's base, e.g. `config.json`, and what reads it: an app without such a file does not
    /// carry the reader either.
    File(&'static str, ReadConfiguration),
}

/// What a finished authorization request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// The person goes there now.
    Navigate,
    /// It is shown, to be copied or followed as a plain link.
    Show,
}

/// Something that happened.
pub enum Event {
    /// The app has found one more client, or a better configuration of one that it has.
    ClientAdded(Client),
    /// The page began; comes first.
    Started(ConfigurationSource),
    /// The address bar held these when the page began: query without `?`, fragment without `#`.
    Redirected {
        /// The path of this site.
        path: String,
        /// The raw query.
        query: String,
        /// The raw fragment.
        fragment: String,
    },
    /// The app will probably ask for a sign-in: a good time to fetch metadata.
    SignInLikely(ClientKey),
    /// The person wants to sign in.
    SignIn {
        /// Where.
        key: ClientKey,
        /// The place in the app to come back to.
        return_path: Option<String>,
        /// What an API demanded (RFC 9470), beside what is configured.
        #[cfg(feature = "step_up")]
        step_up: Option<StepUp>,
        /// Fresh octets for this attempt.
        entropy: Result<Entropy, EntropyFailure>,
        /// Go there, or show the link.
        intent: Intent,
    },
    /// The person no longer wants to wait for the sign-in.
    CancelSignIn,
    /// The app wants somebody to be signed in, though nobody clicked; or, with `is_quiet`, a session that was lost.
    SignInByItself {
        /// Where.
        key: ClientKey,
        /// The place in the app to come back to.
        return_path: Option<String>,
        /// Whether the server may show nothing.
        is_quiet: bool,
        /// Fresh octets for this attempt.
        entropy: Result<Entropy, EntropyFailure>,
    },
    /// The app wants new tokens now.
    Renew(ClientKey),
    /// The person wants to sign out, here.
    SignOut(ClientKey),
    /// The person wants to sign out, here and at the server.
    SignOutAtServer {
        /// Where.
        key: ClientKey,
        /// Fresh octets.
        entropy: Result<Entropy, EntropyFailure>,
    },
    /// Somebody touched a key or a pointer in this page.
    Active,
    /// The app calls an API.
    Call {
        /// For [`Effect::Answer`].
        call: CallId,
        /// With whose token.
        key: ClientKey,
        /// What.
        request: ResourceRequest,
    },
    /// The app wants the claims of the user info endpoint.
    AskUserInfo(ClientKey),
    /// The app no longer wants to wait for a call.
    CancelCall(CallId),
    /// Answers [`Effect::Fetch`].
    Fetched {
        /// Which.
        fetch: FetchId,
        /// The answer, or why there is none.
        outcome: Result<HttpResponse, HttpFailure>,
    },
    /// Answers [`Effect::ProofKey`].
    ProofKey {
        /// Whose.
        key: ClientKey,
        /// The public half; `None` if the browser makes no such key.
        proof_key: Option<ProofKey>,
        /// Whether it will still be there when the page is loaded anew.
        is_kept: bool,
    },
    /// Answers [`Effect::Verify`].
    Verified {
        /// Which.
        verify: VerifyId,
        /// What WebCrypto says.
        verdict: Verdict,
    },
    /// Answers [`Effect::Read`]; `None` if there is no record, or none that is JSON.
    Read {
        /// Which.
        name: RecordName,
        /// The record.
        record: Option<Record>,
    },
    /// Answers [`Effect::Take`].
    Taken {
        /// The record.
        record: Option<Record>,
    },
    /// Answers [`Effect::Write`] with what was read back.
    Written {
        /// Which.
        name: RecordName,
        /// The record as it stands in storage now.
        outcome: Result<Option<Record>, StorageFailure>,
    },
    /// Answers [`Effect::List`].
    Listed {
        /// All records of this library; `None` for one that is not JSON.
        records: Vec<(RecordName, Option<Record>)>,
    },
    /// Answers [`Effect::Lock`].
    Locked {
        /// Which question.
        ask: AskId,
        /// Whether this page has it.
        lock: Lock,
        /// Which lock.
        name: String,
    },
    /// Answers [`Effect::ReadShared`].
    SharedRead {
        /// Which question.
        ask: AskId,
        /// The record, or why it is not known whether there is one.
        record: Result<Option<Record>, StorageFailure>,
    },
    /// Answers [`Effect::WriteShared`].
    SharedWritten {
        /// Which question.
        ask: AskId,
        /// Whether the version was there that was to be replaced.
        outcome: Result<bool, StorageFailure>,
    },
    /// Another tab of this origin said something.
    Heard(String),
    /// Answers [`Effect::WakeAt`].
    Woke,
    /// The page is visible, focused or online again.
    Resumed,
    /// The page came back from the back/forward cache.
    Restored,
    /// The page is shown inside of another one; comes first.
    Framed,
    /// How the page came to what is in its tab's sessionStorage; comes first.
    Inherited {
        /// Whether the page before it noted that it was left: then the tab has not been copied since.
        was_left: bool,
        /// Whether a window opened this one; its sessionStorage was copied then.
        has_opener: bool,
    },
}

/// What happened to a session, for the app.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// Somebody signed in, in this page.
    SignedIn,
    /// Somebody signed in in another tab.
    SignedInElsewhere,
    /// There are new tokens.
    Renewed,
    /// There are none, and the session is kept: it is tried again, if that can help.
    NotRenewed(Arc<Error>),
    /// The session is over though nobody signed out; comes once.
    Expired(Arc<Error>),
    /// The person signed out.
    SignedOut,
    /// Somebody signed out in another tab.
    SignedOutElsewhere,
    /// Nobody was there for so long that the person was signed out.
    SignedOutIdle,
    /// The person is signed out here; the server did not confirm that the tokens are revoked.
    NotRevoked,
    /// The person is signed out here; the server has no sign-out of its own.
    NotSignedOutAtServer,
}

/// Something for the driver to do.
#[derive(Debug)]
pub enum Effect {
    /// Send this; answered by [`Event::Fetched`].
    Fetch {
        /// For the answer.
        fetch: FetchId,
        /// The request.
        request: HttpRequest,
        /// What its proof of possession is made with, if it needs one.
        proof: Option<ProofOrder>,
    },
    /// Find or make the key pair that this client's tokens are bound to; answered by [`Event::ProofKey`].
    #[cfg(feature = "dpop")]
    ProofKey(ClientKey),
    /// Delete that key pair.
    #[cfg(feature = "dpop")]
    ForgetProofKey(ClientKey),
    /// Stop waiting for this fetch.
    CancelFetch(FetchId),
    /// Ask WebCrypto; answered by [`Event::Verified`].
    Verify {
        /// For the answer.
        verify: VerifyId,
        /// The question.
        verification: Verification,
    },
    /// Read a record; answered by [`Event::Read`].
    Read(RecordName),
    /// Read a record and remove it, in one turn; answered by [`Event::Taken`].
    Take(RecordName),
    /// Write a record and read it back; answered by [`Event::Written`].
    Write {
        /// Its name.
        name: RecordName,
        /// The record.
        record: Record,
    },
    /// Remove a record.
    Remove(RecordName),
    /// List all records of this library; answered by [`Event::Listed`].
    List,
    /// Leave the page for this URL.
    Navigate(Url),
    /// Replace the current history entry by this path of the app.
    ReplaceRoute(String),
    /// Hand an API's answer to the app.
    Answer {
        /// Which call.
        call: CallId,
        /// The answer.
        outcome: Result<HttpResponse, ResourceError>,
    },
    /// Send [`Event::Woke`] at this moment, which is later than now, and at none before.
    WakeAt(UnixTime),
    /// Wait for a lock of this origin; answered by [`Event::Locked`].
    #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
    Lock {
        /// For the answer.
        ask: AskId,
        /// Its name.
        name: String,
        /// How long at most; for no time at all, it is granted only if nobody else has it.
        patience: Seconds,
    },
    /// Let a lock go, or the wish for it.
    #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
    Unlock(String),
    /// Read a record that all tabs share; answered by [`Event::SharedRead`].
    #[cfg(feature = "shared_storage")]
    ReadShared {
        /// For the answer.
        ask: AskId,
        /// Its name.
        name: RecordName,
    },
    /// Write one if it has the version `before`; answered by [`Event::SharedWritten`].
    #[cfg(feature = "shared_storage")]
    WriteShared {
        /// For the answer.
        ask: AskId,
        /// Its name.
        name: RecordName,
        /// The version that it must have; whatever it has if `None`.
        before: Option<String>,
        /// The version that it then has.
        version: String,
        /// The record.
        record: Record,
    },
    /// Remove one, with the key that it was sealed with.
    #[cfg(feature = "shared_storage")]
    RemoveShared(RecordName),
    /// Say this to the other tabs of this origin.
    Post(String),
    /// Tell the app.
    Announce(ClientKey, SessionEvent),
    /// Come back with [`Event::SignInByItself`], quietly.
    #[cfg(feature = "restore")]
    SignInQuietly(ClientKey),
}
