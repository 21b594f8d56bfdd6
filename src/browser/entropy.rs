//! Random octets from the platform: the only file that draws them. Works in pages and in workers.

use crate::protocol::authorization_request::{Entropy, EntropyFailure};

/// Draws the octets for one authorization request.
pub(crate) fn draw() -> Result<Entropy, EntropyFailure> {
    octets().map(Entropy)
}

/// Draws octets.
///
/// # Errors
/// [`EntropyFailure`].
#[expect(clippy::disallowed_methods, reason = "this is the one file that draws random octets")]
pub fn octets<const N: usize>() -> Result<[u8; N], EntropyFailure> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|_| EntropyFailure)?;
    Ok(octets)
}
