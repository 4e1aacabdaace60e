//! Compares IANA media types, with their parameters.

/// Type and subtype, in lower case.
pub(crate) fn base_of(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn parameters_of(media_type: &str) -> impl Iterator<Item = (String, String)> {
    media_type.split(';').skip(1).filter_map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let name = name.trim().to_ascii_lowercase();
        (!name.is_empty()).then(|| (name, value.trim().trim_matches('"').to_ascii_lowercase()))
    })
}

/// Whether a media type fits a pattern (`audio/*`, `audio/L16; rate=24000`). A parameter counts only where both name it.
pub(crate) fn matches(pattern: &str, media_type: &str) -> bool {
    let (wanted, given) = (base_of(pattern), base_of(media_type));
    let ranged = wanted.strip_suffix('*').is_some_and(|start| start.ends_with('/') && given.starts_with(start));
    if wanted != "*" && wanted != "*/*" && wanted != given && !ranged {
        return false;
    }
    let have: Vec<_> = parameters_of(media_type).collect();
    parameters_of(pattern).all(|(name, value)| have.iter().all(|(other, there)| *other != name || *there == value))
}

pub(crate) fn matches_any(patterns: &[String], media_type: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, media_type))
}

/// Whether content of that type is text to us: `text/*` and JSON.
pub(crate) fn is_text(media_type: &str) -> bool {
    let base = base_of(media_type);
    base.starts_with("text/") || base == "application/json" || base.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_fit_patterns() {
        for (pattern, media_type, fits) in [
            ("image/*", "image/png", true),
            ("*/*", "text/plain", true),
            ("image/*", "audio/wav", false),
            ("audio/L16; rate=24000", "audio/l16;rate=24000;channels=1", true),
            ("audio/L16; rate=24000", "audio/L16; rate=16000", false),
            ("text/plain", "text/plain; charset=utf-8", true),
        ] {
            assert_eq!(matches(pattern, media_type), fits, "{pattern} and {media_type}");
        }
    }
}
