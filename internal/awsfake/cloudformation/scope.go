package cloudformation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
)

// scope contains the values that a template's intrinsic functions can reference.
type scope struct {
	*template
	names      map[string]string // parameters, pseudo parameters, and created resources
	attributes map[string]string // of created resources; keys like "Role.Arn"
}

// noValue is AWS::NoValue. A property with this value is omitted.
type noValue struct{}

// evaluate evaluates the intrinsic functions in a value.
func (s *scope) evaluate(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return s.evaluateMap(v)
	case []any:
		out := []any{}
		for _, member := range v {
			value, err := s.evaluate(member)
			if err != nil {
				return nil, err
			}
			if value != (noValue{}) {
				out = append(out, value)
			}
		}
		return out, nil
	}
	return v, nil
}

// evaluateMap evaluates a map: if its only member is the name of a function, it calls that
// function; otherwise it evaluates every member.
func (s *scope) evaluateMap(v map[string]any) (any, error) {
	out := map[string]any{}
	for k, member := range v {
		if len(v) == 1 && (k == "Ref" || strings.HasPrefix(k, "Fn::")) {
			return s.call(k, member)
		}
		value, err := s.evaluate(member)
		if err != nil {
			return nil, err
		}
		if value != (noValue{}) {
			out[k] = value
		}
	}
	return out, nil
}

func (s *scope) call(name string, argument any) (any, error) {
	list, _ := argument.([]any)
	switch {
	case name == "Ref" && argument == "AWS::NoValue":
		return noValue{}, nil
	case name == "Ref":
		return s.lookUp(fmt.Sprint(argument), s.names)
	case name == "Fn::GetAtt" && len(list) == 2:
		return s.lookUp(fmt.Sprint(list[0])+"."+fmt.Sprint(list[1]), s.attributes)
	case name == "Fn::Sub":
		return s.substitute(argument)
	case name == "Fn::If" && len(list) == 3:
		holds, err := s.condition(fmt.Sprint(list[0]))
		if err != nil {
			return nil, err
		}
		if holds {
			return s.evaluate(list[1])
		}
		return s.evaluate(list[2])
	case name == "Fn::Join" && len(list) == 2:
		return s.join(fmt.Sprint(list[0]), list[1])
	}
	return nil, wire.ErrNotImplemented("template function " + name)
}

func (s *scope) lookUp(name string, in map[string]string) (any, error) {
	if value, ok := in[name]; ok {
		return value, nil
	}
	return nil, form.ErrValidation("Template format error: Unresolved resource dependencies [%s] in the Resources block of the template", name)
}

func (s *scope) join(delimiter string, of any) (any, error) {
	evaluated, err := s.evaluate(of)
	if err != nil {
		return nil, err
	}
	parts, ok := evaluated.([]any)
	if !ok {
		return nil, form.ErrValidation("Template error: every Fn::Join object requires two parameters, a delimiter and a list.")
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return strings.Join(texts, delimiter), nil
}

// substitute evaluates Fn::Sub in its two forms: only a text, or a text and a map of variables.
func (s *scope) substitute(argument any) (any, error) {
	text, own := argument, map[string]any{}
	if list, ok := argument.([]any); ok && len(list) == 2 {
		text = list[0]
		own, _ = list[1].(map[string]any)
	}
	var failed error
	out := regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(fmt.Sprint(text), func(variable string) string {
		name := variable[2 : len(variable)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var value any
		var err error
		if mine, ok := own[name]; ok {
			value, err = s.evaluate(mine)
		} else if strings.Contains(name, ".") {
			value, err = s.lookUp(name, s.attributes)
		} else {
			value, err = s.lookUp(name, s.names)
		}
		if err != nil && failed == nil {
			failed = err
		}
		return fmt.Sprint(value)
	})
	return out, failed
}

// condition evaluates the condition with that name.
func (s *scope) condition(name string) (bool, error) {
	v, ok := s.conditions[name]
	if !ok {
		return false, form.ErrValidation("Template error: unresolved condition dependency %s in Fn::If", name)
	}
	return s.holds(v)
}

func (s *scope) holds(v any) (bool, error) {
	m, _ := v.(map[string]any)
	for function, argument := range m {
		list, _ := argument.([]any)
		switch function {
		case "Condition":
			return s.condition(fmt.Sprint(argument))
		case "Fn::Equals":
			evaluated, err := s.evaluate(list)
			if err != nil {
				return false, err
			}
			pair, _ := evaluated.([]any)
			return len(pair) == 2 && fmt.Sprint(pair[0]) == fmt.Sprint(pair[1]), nil
		case "Fn::And", "Fn::Or", "Fn::Not":
			return s.combine(function, list)
		}
	}
	return false, form.ErrValidation("Template format error: Every Condition member must be a function.")
}

func (s *scope) combine(function string, list []any) (bool, error) {
	met := 0
	for _, one := range list {
		holds, err := s.holds(one)
		if err != nil {
			return false, err
		}
		if holds {
			met++
		}
	}
	switch function {
	case "Fn::And":
		return met == len(list), nil
	case "Fn::Or":
		return met > 0, nil
	}
	return met == 0, nil
}

// newScope returns a scope with the values of the parameters. It rejects values that the template
// does not allow.
func newScope(t *template, given, pseudo map[string]string) (*scope, error) {
	s := &scope{template: t, names: maps.Clone(pseudo), attributes: map[string]string{}}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(t.parameters)) {
		declared, _ := t.parameters[name].(map[string]any)
		value, ok := given[name]
		if !ok {
			standard, has := declared["Default"]
			if !has {
				missing = append(missing, name)
				continue
			}
			value = fmt.Sprint(standard)
		}
		if err := allowedValue(name, value, declared); err != nil {
			return nil, err
		}
		s.names[name] = value
	}
	if len(missing) > 0 {
		return nil, form.ErrValidation("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := t.parameters[name]; !ok {
			return nil, form.ErrValidation("Parameters: [%s] do not exist in the template", name)
		}
	}
	return s, nil
}

func allowedValue(name, value string, declared map[string]any) error {
	if pattern, ok := declared["AllowedPattern"].(string); ok {
		if matches, err := regexp.MatchString("^(?:"+pattern+")$", value); err != nil || !matches {
			return form.ErrValidation("Parameter '%s' must match pattern %s", name, pattern)
		}
	}
	if allowed, ok := declared["AllowedValues"].([]any); ok {
		if !slices.ContainsFunc(allowed, func(a any) bool { return fmt.Sprint(a) == value }) {
			return form.ErrValidation("Template error: parameter '%s' must be one of AllowedValues", name)
		}
	}
	return nil
}

func (s *scope) evaluateOutputs() ([][3]string, error) {
	var out [][3]string
	for _, key := range slices.Sorted(maps.Keys(s.outputs)) {
		declared, _ := s.outputs[key].(map[string]any)
		value, err := s.evaluate(declared["Value"])
		if err != nil {
			return nil, err
		}
		description, _ := declared["Description"].(string)
		out = append(out, [3]string{key, fmt.Sprint(value), description})
	}
	return out, nil
}
