//! Tokens that were changed at random.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Swap(usize, usize),
    Cut(usize),
}

impl Mutation {
    fn apply(&self, text: &mut Vec<u8>) {
        let length = text.len();
        match *self {
            Self::Replace(at, byte) => text[at % length] = byte,
            Self::Insert(at, byte) => text.insert(at % length, byte),
            Self::Remove(at) => {
                text.remove(at % length);
            }
            Self::Swap(one, other) => text.swap(one % length, other % length),
            Self::Cut(at) => text.truncate(at % length + 1),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let byte = prop_oneof![b'A'..=b'Z', b'a'..=b'z', b'0'..=b'9', b' '..=b'~'];
    let at = 0..10_000_usize;
    prop_oneof![
        4 => (at.clone(), byte.clone()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        1 => (at.clone(), byte).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        1 => at.clone().prop_map(Mutation::Remove),
        1 => (at.clone(), at.clone()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        1 => at.prop_map(Mutation::Cut),
    ]
}

#[test]
fn a_changed_token_is_never_accepted() {
    let bench = Bench::new();
    let good = signed(&bench.es, &es256(), &claims(&json!({})));
    let mutations = prop::collection::vec(mutation(), 1..4);
    proptest!(ProptestConfig::with_cases(2_000), |(mutations in mutations)| {
        let mut text = good.clone().into_bytes();
        for mutation in mutations {
            if text.is_empty() {
                break;
            }
            mutation.apply(&mut text);
        }
        let text = String::from_utf8(text).unwrap();
        prop_assert_eq!(bench.verify(&text).is_ok(), text == good, "{}", text);
    });
}
