package checkpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formatVersion is the version of every record this build writes, and the
// latest it reads. docs/checkpoint-format.md tells the versions apart.
const formatVersion = 1

// A sealed record is one line of JSON with fixed text around the SHA-256 of the
// record's bytes and the bytes themselves, so that no flipped byte goes unseen.
const (
	sealHead = `{"sha256":"`
	sealBody = `","record":`
	sealTail = "}\n"
)

// seal returns v as a record that carries its own checksum.
func seal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	sum := sha256.Sum256(body)
	return []byte(sealHead + hex.EncodeToString(sum[:]) + sealBody + string(body) + sealTail), nil
}

// unseal checks a record and decodes it. The error is a *CorruptError or a *VersionError.
func unseal(name string, data []byte, into any) error {
	body, problem := sealedBody(data)
	if problem != "" {
		return &CorruptError{Name: name, Problem: problem}
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return &CorruptError{Name: name, Problem: "is not a record", Err: err}
	}
	if head.Version > formatVersion {
		return &VersionError{Name: name, Version: head.Version, Known: formatVersion}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &CorruptError{Name: name, Problem: "is not the record its name says", Err: err}
	}
	return nil
}

func sealedBody(data []byte) (body []byte, problem string) {
	rest, hasHead := bytes.CutPrefix(data, []byte(sealHead))
	rest, hasTail := bytes.CutSuffix(rest, []byte(sealTail))
	sum, body, hasBody := bytes.Cut(rest, []byte(sealBody))
	if !hasHead || !hasTail || !hasBody {
		return nil, "is not a sealed record"
	}
	want := sha256.Sum256(body)
	if string(sum) != hex.EncodeToString(want[:]) {
		return nil, "does not match its checksum"
	}
	return body, ""
}

// createRecord seals v and creates it. When the name is taken by the very same
// bytes an earlier attempt has landed, as happens when an answer got lost, and
// that is success.
func createRecord(ctx context.Context, store Store, name string, v any) error {
	data, err := seal(v)
	if err != nil {
		return err
	}
	err = store.Create(ctx, name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, readErr := store.Read(ctx, name)
	if readErr == nil && bytes.Equal(there, data) {
		return nil
	}
	return errors.Join(err, readErr)
}

// readRecord reads and checks a record. An absent name is reported as
// fs.ErrNotExist, damage as *CorruptError, a later format as *VersionError.
func readRecord(ctx context.Context, store Store, name string, into any) error {
	data, err := store.Read(ctx, name)
	if err != nil {
		return err
	}
	return unseal(name, data, into)
}

const (
	formatName = "format.json" // names the format of a whole store; no mapping has a dot
	lockName   = "lock"        // one in every mapping's folder
)

// storeFormat is the record that says how to read a store.
type storeFormat struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
}

func sealFormat() ([]byte, error) {
	return seal(storeFormat{Version: formatVersion, Kind: "syncd ledger"})
}

func unsealFormat(data []byte) error {
	var format storeFormat
	return unseal(formatName, data, &format)
}

// checkName returns an error that satisfies errors.Is(err, fs.ErrInvalid) unless
// name is that of a record, as Store defines it.
func checkName(name string) error {
	segments := strings.Split(name, "/")
	if len(segments) < 2 || segments[len(segments)-1] == lockName || slices.ContainsFunc(segments, isNoSegment) {
		return fmt.Errorf("record name %q: %w", name, fs.ErrInvalid)
	}
	return nil
}

// isNoSegment reports whether s is not [a-z0-9][a-z0-9._-]*.
func isNoSegment(s string) bool {
	alphanumeric := func(c rune) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	beyond := func(c rune) bool { return !alphanumeric(c) && !strings.ContainsRune("._-", c) }
	return s == "" || !alphanumeric(rune(s[0])) || strings.ContainsFunc(s, beyond)
}

// The numbers in names have ten digits, so that byte order is numeric order.
const (
	manifestPrefix   = "manifest-"
	progressPrefix   = "progress-"
	chunkPrefix      = "chunk-"
	quarantinePrefix = "quarantine-"
	recordSuffix     = ".json"
	chunkSuffix      = ".parquet"
)

func manifestName(mapping string, generation int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, manifestPrefix, generation, recordSuffix)
}

func progressName(mapping string, generation, seq int64) string {
	return fmt.Sprintf("%s/%s%010d-%010d%s", mapping, progressPrefix, generation, seq, recordSuffix)
}

// numbersIn returns the generation in a record's name and, for a progress
// record, its sequence number; ok is false when the name has another form.
func numbersIn(name, prefix, suffix string) (generation, seq int64, ok bool) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	base, hasPrefix := strings.CutPrefix(base, prefix)
	base, hasSuffix := strings.CutSuffix(base, suffix)
	if !hasPrefix || !hasSuffix {
		return 0, 0, false
	}
	first, rest, more := strings.Cut(base, "-")
	generation, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if more && prefix == progressPrefix {
		seq, err = strconv.ParseInt(rest, 10, 64)
	}
	return generation, seq, err == nil
}

// keyText is a key in JSON. Keys are bytes, JSON strings are not: a byte that is
// not part of valid UTF-8 becomes \xNN, and a backslash is doubled.
type keyText string

// MarshalText escapes what JSON could not carry.
func (k keyText) MarshalText() ([]byte, error) {
	out := make([]byte, 0, len(k))
	for i, width := 0, 0; i < len(k); i += width {
		var r rune
		r, width = utf8.DecodeRuneInString(string(k[i:]))
		switch {
		case r == utf8.RuneError && width == 1:
			out = fmt.Appendf(out, `\x%02x`, k[i])
		case r == '\\':
			out = append(out, `\\`...)
		default:
			out = append(out, k[i:i+width]...)
		}
	}
	return out, nil
}

// UnmarshalText reverses MarshalText.
func (k *keyText) UnmarshalText(text []byte) error {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		rest := text[i+1:]
		switch {
		case len(rest) >= 1 && rest[0] == '\\':
			out, i = append(out, '\\'), i+1
		case len(rest) >= 3 && rest[0] == 'x':
			b, err := hex.DecodeString(string(rest[1:3]))
			if err != nil {
				return fmt.Errorf("decode key %q: %w", text, err)
			}
			out, i = append(out, b[0]), i+3
		default:
			return fmt.Errorf("decode key %q: unknown escape", text)
		}
	}
	*k = keyText(out)
	return nil
}
