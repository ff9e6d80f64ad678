package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// nodeKind is the type of a JSON value.
type nodeKind int

const (
	objectNode nodeKind = iota + 1
	arrayNode
	textNode
	scalarNode // a number, true or false
	nullNode
)

// Node is one JSON value with its location in the text.
type Node struct {
	kind    nodeKind
	At, End int    // byte offsets of its start and end in the text
	Path    string // "Statement[0].Action"
	Text    string // the contents of a string, or the literal text of another scalar
	members []member
	items   []*Node
}

// member is the name and value of an object's member. The name is a text node.
type member struct{ name, value *Node }

// Find returns the value of a member, or nil if there is none.
func (n *Node) Find(name string) *Node {
	for _, m := range n.members {
		if m.name.Text == name {
			return m.value
		}
	}
	return nil
}

// dig returns the value of a nested member, or nil if there is none.
func (n *Node) dig(names ...string) *Node {
	for _, name := range names {
		if n = n.Find(name); n == nil {
			return nil
		}
	}
	return n
}

// list returns the items of an array. For any other value it returns a list that contains only the
// value, because a policy can omit the brackets of a list with one item. It returns nil if n is
// nil.
func (n *Node) list() []*Node {
	switch {
	case n == nil:
		return nil
	case n.kind == arrayNode:
		return n.items
	}
	return []*Node{n}
}

// treeReader parses JSON into nodes.
type treeReader struct {
	data []byte
	dec  *json.Decoder
}

// readTree parses a text that is JSON.
func readTree(data []byte) (*Node, error) {
	if !json.Valid(data) { // json.Valid also limits the nesting depth
		return nil, errors.New("read JSON: invalid syntax")
	}
	r := &treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	return r.value("")
}

func (r *treeReader) value(path string) (*Node, error) {
	at := int(r.dec.InputOffset())
	at += len(r.data[at:]) - len(bytes.TrimLeft(r.data[at:], " \t\r\n,:"))
	token, err := r.dec.Token()
	if err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	n := &Node{At: at, Path: path}
	switch token := token.(type) {
	case json.Delim:
		err = r.content(n, token)
	case string:
		n.kind, n.Text = textNode, token
	case json.Number:
		n.kind, n.Text = scalarNode, token.String()
	case bool:
		n.kind, n.Text = scalarNode, strconv.FormatBool(token)
	default:
		n.kind, n.Text = nullNode, "null"
	}
	n.End = int(r.dec.InputOffset())
	return n, err
}

// content reads the rest of an object or an array after its opening delimiter.
func (r *treeReader) content(n *Node, opening json.Delim) error {
	n.kind = arrayNode
	if opening == '{' {
		n.kind = objectNode
	}
	for r.dec.More() {
		if err := r.entry(n); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	return err
}

func (r *treeReader) entry(n *Node) error {
	if n.kind == arrayNode {
		item, err := r.value(n.Path + "[" + strconv.Itoa(len(n.items)) + "]")
		n.items = append(n.items, item)
		return err
	}
	name, err := r.value(n.Path)
	if err != nil {
		return err
	}
	name.Path = join(n.Path, name.Text)
	value, err := r.value(name.Path)
	n.members = append(n.members, member{name, value})
	return err
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
