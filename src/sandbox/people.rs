//! The people who can sign in. They are made up, and so are their photos.

/// Somebody.
pub struct Person {
    /// The subject identifier: what an app keys accounts by, and never changes.
    pub sub: &'static str,
    /// What they type.
    pub username: &'static str,
    /// The claim `name`.
    pub name: &'static str,
    /// The claim `email`.
    pub email: &'static str,
    /// Titles of their photos.
    pub photos: &'static [&'static str],
}

/// Everybody.
pub const PEOPLE: [Person; 2] = [
    Person {
        sub: "7c1f0a52",
        username: "alice",
        name: "Alice Example",
        email: "alice@example.com",
        photos: &["Harbour at six", "Two herons", "Rain on the tram"],
    },
    Person {
        sub: "b94e63d0",
        username: "bob",
        name: "Bob Example",
        email: "bob@example.com",
        photos: &["The long pier", "Nobody at the market"],
    },
];

/// The person with this user name.
pub(super) fn by_username(username: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.username == username)
}

/// The person with this subject identifier.
pub(super) fn by_sub(sub: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.sub == sub)
}
