package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// String returns the document as JSON, indented by two spaces, with elements in the usual order and
// one-element lists as a plain value. The same document always gives the same text. If JSON cannot
// express the document, it returns a message that begins with "invalid policy".
func (d *Document) String() string {
	compact, err := d.MarshalJSON()
	if err != nil {
		return "invalid policy: " + err.Error()
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		panic("BUG: indent policy: " + err.Error())
	}
	return b.String()
}

// MarshalJSON returns the document as compact JSON. It returns an error for statements that JSON
// cannot express: two conditions with the same operator and key, a condition without values, or
// everyone together with other principals.
func (d *Document) MarshalJSON() ([]byte, error) {
	statements := make([]object, len(d.Statements))
	for i := range d.Statements {
		o, err := d.Statements[i].object()
		if err != nil {
			return nil, fmt.Errorf("write Statement[%d]: %w", i, err)
		}
		statements[i] = o
	}
	var o object
	o.addText("Version", d.Version)
	o.addText("Id", d.ID)
	o.add("Statement", statements)
	return o.MarshalJSON()
}

func (s *Statement) object() (object, error) {
	var o object
	o.addText("Sid", s.SID)
	o.addText("Effect", string(s.Effect))
	if err := errors.Join(o.addPrincipals("Principal", s.Principals), o.addPrincipals("NotPrincipal", s.NotPrincipals)); err != nil {
		return nil, err
	}
	o.addList("Action", s.Actions)
	o.addList("NotAction", s.NotActions)
	o.addList("Resource", s.Resources)
	o.addList("NotResource", s.NotResources)
	return o, o.addConditions(s.Conditions)
}

// object is a JSON object with ordered members.
type object []member

type member struct {
	name  string
	value any
}

func (o *object) add(name string, value any) {
	*o = append(*o, member{name, value})
}

func (o *object) addText(name, text string) {
	if text != "" {
		o.add(name, text)
	}
}

func (o *object) addList(name string, list []string) {
	switch len(list) {
	case 0:
	case 1:
		o.add(name, list[0])
	default:
		o.add(name, list)
	}
}

func (o *object) addPrincipals(name string, list []Principal) error {
	var kinds []string
	ids := map[string][]string{}
	for _, p := range list {
		if p.Kind == AnyPrincipal {
			if len(list) > 1 {
				return errors.New(name + " lists everyone together with other principals")
			}
			o.add(name, string(AnyPrincipal))
			return nil
		}
		kind := string(p.Kind)
		if ids[kind] == nil {
			kinds = append(kinds, kind)
		}
		ids[kind] = append(ids[kind], p.ID)
	}
	var byKind object
	for _, kind := range kinds {
		byKind.addList(kind, ids[kind])
	}
	if byKind != nil {
		o.add(name, byKind)
	}
	return nil
}

func (o *object) addConditions(list []Condition) error {
	var operators object
	keys := map[string]*object{}
	for _, c := range list {
		of := keys[c.Operator]
		if of == nil {
			of = &object{}
			keys[c.Operator] = of
			operators.add(c.Operator, of)
		}
		if len(c.Values) == 0 {
			return fmt.Errorf("condition %s on %s has no values", c.Operator, c.Key)
		}
		if of.has(c.Key) {
			return fmt.Errorf("two %s conditions are on %s", c.Operator, c.Key)
		}
		of.addList(c.Key, c.Values)
	}
	if operators != nil {
		o.add("Condition", operators)
	}
	return nil
}

func (o *object) has(name string) bool {
	for _, m := range *o {
		if m.name == name {
			return true
		}
	}
	return false
}

// MarshalJSON does not escape <, > and & for HTML, so that policies stay readable.
func (o object) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(b, m.name); err != nil {
			return nil, fmt.Errorf("encode name %q: %w", m.name, err)
		}
		b.WriteByte(':')
		if err := encode(b, m.value); err != nil {
			return nil, fmt.Errorf("encode %s: %w", m.name, err)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encode(b *bytes.Buffer, value any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return err
	}
	b.Truncate(b.Len() - len("\n"))
	return nil
}
