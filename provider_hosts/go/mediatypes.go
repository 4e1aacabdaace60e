package provider

import "strings"

// baseOf is type and subtype, in lower case.
func baseOf(mediaType string) string {
	base, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

func parametersOf(mediaType string) map[string]string {
	found := map[string]string{}
	for _, piece := range strings.Split(mediaType, ";")[1:] {
		name, value, _ := strings.Cut(piece, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			found[name] = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return found
}

// matches tells whether a media type fits a pattern ("audio/*", "audio/L16; rate=24000"). A parameter counts only where
// both name it.
func matches(pattern, mediaType string) bool {
	wanted, given := baseOf(pattern), baseOf(mediaType)
	all := wanted == "*" || wanted == "*/*" || wanted == given
	if !all && !(strings.HasSuffix(wanted, "/*") && strings.HasPrefix(given, wanted[:len(wanted)-1])) {
		return false
	}
	have := parametersOf(mediaType)
	for name, value := range parametersOf(pattern) {
		if other, both := have[name]; both && other != value {
			return false
		}
	}
	return true
}

func matchesAny(patterns []string, mediaType string) bool {
	for _, pattern := range patterns {
		if matches(pattern, mediaType) {
			return true
		}
	}
	return false
}

// isText tells whether content of that type is text to us: "text/*" and JSON.
func isText(mediaType string) bool {
	base := baseOf(mediaType)
	return strings.HasPrefix(base, "text/") || base == "application/json" || strings.HasSuffix(base, "+json")
}
