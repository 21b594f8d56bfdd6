//! Random octets from the platform: the only file that draws them.

use crate::protocol::authorization_request::{Entropy, EntropyFailure};

/// Draws the octets for one authorization request.
#[expect(clippy::disallowed_methods, reason = "this is the one file that draws random octets")]
pub(crate) fn draw() -> Result<Entropy, EntropyFailure> {
    let mut octets = [0; 96];
    getrandom::fill(&mut octets).map_err(|_| EntropyFailure)?;
    Ok(Entropy(octets))
}
