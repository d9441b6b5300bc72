//! "Did you mean": the nearest word of a closed vocabulary.

/// The word of `known` that `wrong` was most likely meant to be; none where nothing is near.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let begins =
        |word: &str| wrong.len() >= 3 && word.len() >= 3 && (word.starts_with(&wrong) || wrong.starts_with(word));
    known
        .into_iter()
        .map(|word| (distance(&wrong, word), word))
        .filter(|(distance, word)| *distance <= (word.len().max(wrong.len()) / 3).max(1) || begins(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The help line of an error about an unknown word.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(wrong, known.clone()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("known are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_stranger_is_not() {
        let verbs = ["open", "close", "closed", "eof", "fence"];
        assert_eq!(nearest("opne", verbs), Some("open"));
        assert_eq!(nearest("Fence", verbs), Some("fence"));
        assert_eq!(nearest("teleport", verbs), None);
    }
}
