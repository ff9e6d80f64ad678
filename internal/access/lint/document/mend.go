package document

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxBreakages limits the number of reported faults. A text with more faults is probably not meant
// to be JSON.
const maxBreakages = 50

// edit replaces size bytes at the offset at with text, so that the text after it can be parsed.
type edit struct {
	at, size int
	text     string
	guess    bool // the text replaces an unknown value
}

// breakages returns the JSON faults of a source, and the repaired source. mended is nil if the
// source cannot be repaired. If s is JSON, there are no faults and mended is s. The positions of
// the faults are offsets in the file.
func (s *source) breakages() (faults []Fault, mended *source) {
	text := &source{File: s.File, Data: s.Data, from: s.from}
	reached, guessed := -1, false
	for len(faults) < maxBreakages {
		b := findBreakage(text.Data)
		if b == nil && guessed {
			return faults, nil
		}
		if b == nil {
			return faults, text
		}
		at := text.origin(min(b.At, len(text.Data)))
		if at < reached { // not a fault of the file: a wrong edit caused it
			return faults, nil
		}
		edits := b.edits
		b.At, b.edits, reached = at, nil, at
		faults = append(faults, *b)
		if len(edits) == 0 {
			return faults, nil
		}
		text = text.edited(edits)
		guessed = guessed || slices.ContainsFunc(edits, func(e edit) bool { return e.guess })
	}
	return faults, nil
}

// mendString repairs an unescaped character in a string. If the character is a line break, the
// closing quote is probably missing.
func mendString(data []byte, at int) []edit {
	if data[at] != '\n' && data[at] != '\r' {
		return []edit{{at: at, size: 1, text: " "}}
	}
	end := len(bytes.TrimRight(data[:at], " \t\r"))
	if end > 0 && data[end-1] == ',' {
		end--
	}
	return []edit{{at: end, text: `"`}}
}

// mendOdd returns the edits that repair a character that looks like a JSON character, or syntax of
// another language such as a comment. It returns nil if no edit is likely to help.
func mendOdd(data []byte, at int) []edit {
	rest := string(data[at:])
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case strings.ContainsRune(curlyQuotes, r):
		return everywhere(data, at, curlyQuotes)
	case strings.ContainsRune(singleQuotes, r):
		return everywhere(data, at, singleQuotes)
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest, "*/"); end > 0 {
			return []edit{{at: at, size: end + 2}}
		}
		return nil
	case strings.HasPrefix(rest, "//"), r == '#':
		line, _, _ := strings.Cut(rest, "\n")
		return []edit{{at: at, size: len(line)}}
	case strings.HasPrefix(rest, "${"), strings.HasPrefix(rest, "{{"), r == '<':
		if m := regexp.MustCompile(`^(\$\{[^{}"\n]*\}|\{\{[^{}\n]*\}\}|<[^<>"\n]*>)`).FindString(rest); m != "" {
			return []edit{{at: at, size: len(m), text: `""`, guess: true}}
		}
		return nil
	case r == 'T' || r == 'F' || r == 'N':
		word := regexp.MustCompile(`^[A-Za-z]+`).FindString(rest)
		if small, ok := map[string]string{"True": "true", "False": "false", "None": "null", "Null": "null", "TRUE": "true", "FALSE": "false", "NULL": "null"}[word]; ok {
			return []edit{{at: at, size: len(word), text: small}}
		}
		return mendBare(data, at)
	}
	return []edit{{at: at, size: size}}
}

// everywhere returns edits that replace each of the characters in signs with a double quote, from a
// position to the end of the data, except inside double-quoted strings.
func everywhere(data []byte, at int, signs string) (edits []edit) {
	inText := false
	for i := at; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == '"':
			inText = !inText
		case inText && r == '\\':
			size++
		case !inText && strings.ContainsRune(signs, r):
			edits = append(edits, edit{at: i, size: size, text: `"`})
		}
		i += size
	}
	return edits
}

// mendBare returns the edit that puts quotes around a word, or nil if there is no word.
func mendBare(data []byte, at int) []edit {
	word := regexp.MustCompile(`^[A-Za-z0-9_:*./-]*[A-Za-z0-9_*/]`).Find(data[at:])
	if len(word) == 0 {
		return nil
	}
	return []edit{{at: at, size: len(word), text: `"` + string(word) + `"`}}
}

// mendOpen returns the edit that closes all braces and brackets that are open at the end of the
// data.
func mendOpen(data []byte, open []int) []edit {
	var closers strings.Builder
	for _, at := range slices.Backward(open) {
		closers.WriteByte(closing(data[at]))
	}
	return []edit{{at: len(data), text: closers.String()}}
}
