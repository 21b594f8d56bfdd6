//! Names and their values, one pair a row.

use super::super::node::{Child, Node, element};

/// The table of `rows`, each a name and what stands beside it.
pub(in super::super) fn values<N: Child>(rows: impl IntoIterator<Item = (N, Node)>) -> Node {
    let rows = rows
        .into_iter()
        .map(|(name, value)| element("div").child(element("dt").child(name)).child(element("dd").child(value)));
    element("dl.values").children(rows)
}

/// A value as it stands on the wire.
pub(in super::super) fn code(value: impl ToString) -> Node {
    element("code").child(value.to_string())
}
