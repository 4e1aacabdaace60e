package provider

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// ourPrefix begins the names of variables that are the host's own.
const ourPrefix = "MEDIACONDUIT_"

// shortestSecret is how many characters a value must have to be taken out of an error.
const shortestSecret = 4

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secrets are the variables that Configure brings: set in this process alone, where code expects them. The environment it
// was started with, which neighbours may read, does not change by that.
type secrets struct {
	names []string

	mutex  sync.Mutex
	before map[string]*string
	given  map[string]string
}

func newSecrets(names []string) *secrets {
	return &secrets{names: names, before: map[string]*string{}, given: map[string]string{}}
}

// secretNames reads a list with commas.
func secretNames(text string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if oddSecret(name, "") != "" {
			return nil, fmt.Errorf("%q cannot be the name of a secret", name)
		}
		names = append(names, name)
	}
	return names, nil
}

func oddSecret(name, value string) string {
	if !variableName.MatchString(name) || strings.HasPrefix(name, ourPrefix) {
		return "is not the name of a variable; letters, digits and _ are, but for those that begin with " + ourPrefix
	}
	if strings.ContainsRune(value, 0) {
		return "holds a zero byte"
	}
	return ""
}

// check refuses names that no variable can have, and values.
func (s *secrets) check(wanted map[string]string) error {
	var fields []FieldViolation
	for name, value := range wanted {
		if why := oddSecret(name, value); why != "" {
			fields = append(fields, FieldViolation{"secrets." + name, why})
		}
	}
	if len(fields) > 0 {
		failure := invalid(fields)
		failure.Message = "the secrets are not valid"
		return failure
	}
	return nil
}

// put sets these, unsets those of an earlier time that are left out, and gives the earlier ones.
func (s *secrets) put(wanted map[string]string) (map[string]string, error) {
	if err := s.check(wanted); err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	earlier := s.given
	for name := range earlier {
		if _, stays := wanted[name]; !stays {
			restore(name, s.before[name])
			delete(s.before, name)
		}
	}
	s.given = map[string]string{}
	for name, value := range wanted {
		if _, known := s.before[name]; !known {
			s.before[name] = lookup(name)
		}
		s.given[name] = value
		_ = os.Setenv(name, value)
	}
	return earlier, nil
}

func lookup(name string) *string {
	if value, there := os.LookupEnv(name); there {
		return &value
	}
	return nil
}

func restore(name string, value *string) {
	if value == nil {
		_ = os.Unsetenv(name)
		return
	}
	_ = os.Setenv(name, *value)
}

// require refuses a call while one that is needed is missing.
func (s *secrets) require() error {
	var missing []string
	for _, name := range s.names {
		if os.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return Errorf(CredentialsMissing, "the provider needs %s, which it was not given", strings.Join(missing, " and ")).
		WithHint("put %s where the broker looks for secrets, and refresh the provider", missing[0]).
		With("variable", strings.Join(missing, ","))
}

// clean takes the values given here out of an error: vendors quote the key they refuse, and authors quote vendors.
func (s *secrets) clean(failure *Error) *Error {
	s.mutex.Lock()
	var values []string
	for _, value := range s.given {
		if len(value) >= shortestSecret {
			values = append(values, value)
		}
	}
	s.mutex.Unlock()
	if len(values) == 0 {
		return failure
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	hide := func(text string) string {
		for _, value := range values {
			text = strings.ReplaceAll(text, value, "***")
		}
		return text
	}
	cleaned := *failure
	cleaned.Message, cleaned.Hint = hide(failure.Message), hide(failure.Hint)
	cleaned.Fields, cleaned.Metadata = nil, map[string]string{}
	for _, field := range failure.Fields {
		cleaned.Fields = append(cleaned.Fields, FieldViolation{hide(field.Field), hide(field.Description)})
	}
	for key, value := range failure.Metadata {
		cleaned.Metadata[key] = hide(value)
	}
	return &cleaned
}
