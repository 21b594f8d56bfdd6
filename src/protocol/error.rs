//! Every error of this library: the sum of the stages, whose side it is on, and a stable code.
//!
//! Rule: codes are `stage.variant` and never change their meaning; `Display` is one clause without secrets.

use std::fmt;
use std::sync::Arc;

use super::authorization_request::{AuthorizationRequestError, StorageFailure};
use super::authorization_response::CallbackError;
use super::http::HttpFailure;
use super::id_token::IdTokenError;
use super::keys::KeysError;
use super::metadata::{Attempt, AttemptProblem, MetadataError};
use super::problem::ConfigurationError;
use super::protected_resource::ResourceError;
use super::pushed_authorization::PushError;
use super::resource_metadata::ResourceMetadataError;
use super::session::SessionError;
use super::token_response::TokenError;
use super::userinfo::UserInfoError;

/// What can go wrong, by stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The configuration.
    Configuration(ConfigurationError),
    /// The server's metadata.
    Metadata(MetadataError),
    /// The authorization request.
    AuthorizationRequest(AuthorizationRequestError),
    /// Pushing the authorization request.
    Push(PushError),
    /// The authorization response.
    Callback(CallbackError),
    /// The token request and its response.
    Token(TokenError),
    /// The issuer's keys.
    Keys(KeysError),
    /// The ID token.
    IdToken(IdTokenError),
    /// A session that is over.
    Session(SessionError),
    /// A call to an API.
    Resource(ResourceError),
    /// The user info endpoint.
    UserInfo(UserInfoError),
    /// What an API says about itself.
    ResourceMetadata(ResourceMetadataError),
}

/// Whose side an error is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This page's code or configuration.
    Caller,
    /// The authorization server, or the API.
    AuthorizationServer,
    /// The person at the browser.
    EndUser,
    /// What lies between.
    Network,
    /// The browser and its settings.
    Environment,
}

impl Fault {
    /// One word for a `data-` attribute or a log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::AuthorizationServer => "authorization-server",
            Self::EndUser => "end-user",
            Self::Network => "network",
            Self::Environment => "environment",
        }
    }
}

impl Error {
    /// The stable code, `stage.variant`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Configuration(error) => match error {
                ConfigurationError::Html => "configuration.html",
                ConfigurationError::Invalid(_) => "configuration.invalid",
                ConfigurationError::Missing { .. } => "configuration.missing",
                ConfigurationError::NotJson(_) => "configuration.not_json",
                ConfigurationError::Unreachable(_) => "configuration.unreachable",
            },
            Self::Metadata(error) => match error {
                MetadataError::InvalidMember(_) => "metadata.invalid_member",
                MetadataError::IssuerMismatch { .. } => "metadata.issuer_mismatch",
                MetadataError::MissingMember { .. } => "metadata.missing_member",
                MetadataError::PkceUnsupported { .. } => "metadata.pkce_unsupported",
                MetadataError::Unavailable { .. } => "metadata.unavailable",
            },
            Self::AuthorizationRequest(error) => match error {
                AuthorizationRequestError::Entropy => "request.entropy",
                AuthorizationRequestError::Framed => "request.framed",
                AuthorizationRequestError::Loop { .. } => "request.loop",
                AuthorizationRequestError::NoAlgorithm => "request.no_algorithm",
                AuthorizationRequestError::NoKeys => "request.no_keys",
                AuthorizationRequestError::NoProofKey => "request.no_proof_key",
                AuthorizationRequestError::NoPushEndpoint => "request.no_push_endpoint",
                AuthorizationRequestError::ParameterTwice { .. } => "request.parameter_twice",
                AuthorizationRequestError::RedirectUriOrigin { .. } => "request.redirect_uri_origin",
                AuthorizationRequestError::SharedRedirectUri { .. } => "request.shared_redirect_uri",
                AuthorizationRequestError::Storage(StorageFailure::Altered) => "request.storage_altered",
                AuthorizationRequestError::Storage(StorageFailure::Blocked) => "request.storage_blocked",
                AuthorizationRequestError::Storage(StorageFailure::Full) => "request.storage_full",
            },
            // A build without a feature carries none of its codes.
            Self::Push(_) if cfg!(not(feature = "par")) => "push",
            Self::UserInfo(_) if cfg!(not(feature = "userinfo")) => "userinfo",
            Self::Push(error) => match error {
                PushError::MissingRequestUri => "push.missing_request_uri",
                PushError::Network(_) => "push.network",
                PushError::NonceHidden => "push.nonce_hidden",
                PushError::Refused(_) => "push.refused",
                PushError::Status { .. } => "push.status",
            },
            Self::Callback(error) => match error {
                CallbackError::Framed => "callback.framed",
                CallbackError::FrontChannel { .. } => "callback.front_channel",
                CallbackError::IssuerMismatch { .. } => "callback.issuer_mismatch",
                CallbackError::Malformed(_) => "callback.malformed",
                CallbackError::MissingCode => "callback.missing_code",
                CallbackError::MissingIssuer { .. } => "callback.missing_issuer",
                CallbackError::Refused(_) => "callback.refused",
                CallbackError::Stale { .. } => "callback.stale",
                CallbackError::UnknownState { .. } => "callback.unknown_state",
                CallbackError::WrongRedirectUri { .. } => "callback.wrong_redirect_uri",
            },
            Self::Token(error) => match error {
                TokenError::Html => "token.html",
                TokenError::InvalidMember { .. } => "token.invalid_member",
                TokenError::Malformed(_) => "token.malformed",
                TokenError::MissingAccessToken => "token.missing_access_token",
                TokenError::Network(failure) => match failure {
                    HttpFailure::BodyTooLarge { .. } => "token.body_too_large",
                    HttpFailure::Cancelled => "token.cancelled",
                    HttpFailure::NoProof => "token.no_proof",
                    HttpFailure::Offline | HttpFailure::Unsent => "token.offline",
                    HttpFailure::Timeout { .. } => "token.timeout",
                    HttpFailure::Unreachable => "token.unreachable",
                    HttpFailure::UrlDisagreement => "token.url_disagreement",
                },
                TokenError::MissingIdToken => "token.missing_id_token",
                TokenError::NonceHidden => "token.nonce_hidden",
                TokenError::NotJson { .. } => "token.not_json",
                TokenError::Refused(_) => "token.refused",
                TokenError::Status { .. } => "token.status",
                TokenError::UnsupportedTokenType { .. } => "token.unsupported_token_type",
            },
            Self::Keys(error) => match error {
                KeysError::NotKeys => "keys.not_keys",
                KeysError::Unavailable(_) => "keys.unavailable",
            },
            Self::IdToken(error) => error.code(),
            Self::Session(SessionError::AnswerLost) => "session.answer_lost",
            Self::Session(SessionError::Expired(_)) => "session.expired",
            Self::Resource(error) => match error {
                ResourceError::Header { .. } => "resource.header",
                ResourceError::Method => "resource.method",
                ResourceError::Network(failure) => match failure {
                    HttpFailure::BodyTooLarge { .. } => "resource.body_too_large",
                    HttpFailure::Cancelled => "resource.cancelled",
                    HttpFailure::NoProof => "resource.no_proof",
                    HttpFailure::Offline | HttpFailure::Unsent => "resource.offline",
                    HttpFailure::Timeout { .. } => "resource.timeout",
                    HttpFailure::Unreachable => "resource.unreachable",
                    HttpFailure::UrlDisagreement => "resource.url_disagreement",
                },
                ResourceError::NonceHidden => "resource.nonce_hidden",
                ResourceError::NotAllowed { .. } => "resource.not_allowed",
                ResourceError::NotRenewed => "resource.not_renewed",
                ResourceError::SignedOut => "resource.signed_out",
                ResourceError::Url(_) => "resource.url",
            },
            Self::UserInfo(error) => match error {
                UserInfoError::Expired => "userinfo.expired",
                UserInfoError::Foreign => "userinfo.foreign",
                UserInfoError::Malformed => "userinfo.malformed",
                UserInfoError::NoEndpoint => "userinfo.no_endpoint",
                UserInfoError::NoIdToken => "userinfo.no_id_token",
                UserInfoError::Network(_) => "userinfo.network",
                UserInfoError::NotReadable { .. } => "userinfo.not_readable",
                UserInfoError::Signature => "userinfo.signature",
                UserInfoError::Status { .. } => "userinfo.status",
                UserInfoError::SubMismatch => "userinfo.sub_mismatch",
            },
            Self::ResourceMetadata(error) => match error {
                ResourceMetadataError::HeaderUnsupported { .. } => "resource_metadata.header_unsupported",
                ResourceMetadataError::InvalidMember(_) => "resource_metadata.invalid_member",
                ResourceMetadataError::ResourceMismatch { .. } => "resource_metadata.resource_mismatch",
                ResourceMetadataError::Unavailable(_) => "resource_metadata.unavailable",
                ResourceMetadataError::Url(_) => "resource_metadata.url",
            },
        }
    }

    /// Whose side it is on.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Configuration(ConfigurationError::Unreachable(failure)) => network_fault(failure),
            Self::Configuration(_) => Fault::Caller,
            Self::Metadata(MetadataError::Unavailable { attempts }) => {
                let failure = attempts.iter().find_map(|attempt| match &attempt.problem {
                    AttemptProblem::Failure(failure) => Some(failure),
                    _ => None,
                });
                failure.map_or(Fault::AuthorizationServer, network_fault)
            }
            Self::Metadata(_) => Fault::AuthorizationServer,
            Self::AuthorizationRequest(error) => match error {
                AuthorizationRequestError::Entropy
                | AuthorizationRequestError::NoProofKey
                | AuthorizationRequestError::Storage(_) => Fault::Environment,
                AuthorizationRequestError::Loop { .. }
                | AuthorizationRequestError::NoAlgorithm
                | AuthorizationRequestError::NoKeys
                | AuthorizationRequestError::NoPushEndpoint => Fault::AuthorizationServer,
                _ => Fault::Caller,
            },
            Self::Callback(error) => match error {
                CallbackError::Stale { .. } | CallbackError::UnknownState { .. } => Fault::EndUser,
                CallbackError::Framed | CallbackError::WrongRedirectUri { .. } => Fault::Caller,
                CallbackError::Refused(refusal) => {
                    use super::authorization_response::AuthorizationErrorCode as Code;
                    match refusal.code() {
                        Code::AccessDenied
                        | Code::AccountSelectionRequired
                        | Code::ConsentRequired
                        | Code::InteractionRequired
                        | Code::LoginRequired => Fault::EndUser,
                        Code::ServerError | Code::TemporarilyUnavailable | Code::Other(_) => Fault::AuthorizationServer,
                        _ => Fault::Caller,
                    }
                }
                _ => Fault::AuthorizationServer,
            },
            Self::Token(TokenError::Network(failure)) => network_fault(failure),
            Self::Token(_) => Fault::AuthorizationServer,
            Self::Keys(KeysError::Unavailable(Attempt { problem: AttemptProblem::Failure(failure), .. })) => {
                network_fault(failure)
            }
            Self::Session(SessionError::AnswerLost) => Fault::Network,
            Self::Keys(_) | Self::IdToken(_) | Self::Session(_) => Fault::AuthorizationServer,
            Self::Push(PushError::Network(failure)) | Self::UserInfo(UserInfoError::Network(failure)) => {
                network_fault(failure)
            }
            Self::ResourceMetadata(ResourceMetadataError::Unavailable(AttemptProblem::Failure(failure))) => {
                network_fault(failure)
            }
            Self::ResourceMetadata(ResourceMetadataError::Url(_)) => Fault::Caller,
            Self::ResourceMetadata(_) => Fault::AuthorizationServer,
            Self::UserInfo(UserInfoError::NoIdToken) => Fault::Caller,
            Self::Push(_) | Self::UserInfo(_) => Fault::AuthorizationServer,
            Self::Resource(error) => match error {
                ResourceError::NonceHidden => Fault::AuthorizationServer,
                ResourceError::Network(failure) => network_fault(failure),
                ResourceError::NotRenewed => Fault::Network,
                ResourceError::SignedOut => Fault::EndUser,
                _ => Fault::Caller,
            },
        }
    }
}

fn network_fault(failure: &HttpFailure) -> Fault {
    match failure {
        HttpFailure::BodyTooLarge { .. } => Fault::AuthorizationServer,
        HttpFailure::Cancelled => Fault::EndUser,
        HttpFailure::NoProof => Fault::Environment,
        HttpFailure::UrlDisagreement => Fault::Caller,
        HttpFailure::Offline | HttpFailure::Timeout { .. } | HttpFailure::Unreachable | HttpFailure::Unsent => {
            Fault::Network
        }
    }
}

/// Declares that a stage's error is one of this library's errors, and a standard error.
macro_rules! stages {
    ($($stage:ident($error:ty))+) => {
        $(
            impl From<$error> for Error {
                fn from(error: $error) -> Self {
                    Self::$stage(error)
                }
            }

            impl From<$error> for Arc<Error> {
                fn from(error: $error) -> Self {
                    Self::new(Error::$stage(error))
                }
            }

            impl std::error::Error for $error {}
        )+

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$stage(error) => error.fmt(f),)+
                }
            }
        }
    };
}

stages! {
    Configuration(ConfigurationError)
    Metadata(MetadataError)
    AuthorizationRequest(AuthorizationRequestError)
    Push(PushError)
    Callback(CallbackError)
    Token(TokenError)
    Keys(KeysError)
    IdToken(IdTokenError)
    Session(SessionError)
    Resource(ResourceError)
    UserInfo(UserInfoError)
    ResourceMetadata(ResourceMetadataError)
}

impl std::error::Error for Error {}
