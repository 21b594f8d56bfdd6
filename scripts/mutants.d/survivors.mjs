// Mutants that no test minds, each with the reason why none should. Kept by hand: one that is not here fails `make mutants`,
// and so does one that is here and has been caught.
//
// A mutant is named as cargo-mutants names it, without its line: "src/protocol/url.rs: replace > with >= in Url::parse".
export const SURVIVORS = {
  "src/protocol/base64url.rs: replace | with ^ in encode": "the octets share no bit",
  "src/protocol/base64url.rs: replace | with ^ in decode": "the bits that are free for a digit are zero",
  "src/protocol/form.rs: replace match guard plus == Plus::IsSpace with true in unescape":
    "paths are searched for slashes, dots and control characters; a space is none of these, as a plus is none",
  "src/protocol/json.rs: replace < with <= in write_number": "zero has no sign: the second condition sees to it",
  "src/protocol/json.rs: replace < with <= in Reader<'_>::number":
    "no double holds a digit beyond 10^18, and 10^0 is the same as a factor and as a divisor",
  "src/protocol/renewal.rs: delete match arm (State::Over, _) in Renewal::advance":
    "without it what is over may note a hint or forget its failures, and asks for nothing all the same",
};
