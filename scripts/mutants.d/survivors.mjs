// Mutants that no test minds, each with the reason why none should. Kept by hand: one that is not here fails `make mutants`,
// and so does one that is here and has been caught.
//
// A mutant is named as cargo-mutants names it, without its line: "src/protocol/url.rs: replace > with >= in Url::parse".
export const SURVIVORS = {};
