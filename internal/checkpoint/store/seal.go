package store

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
)

// FormatVersion is the format version of every record that this build writes, and the only version
// that it reads. docs/checkpoint-format.md lists the versions.
const FormatVersion = 2

// A sealed record is one line of JSON: fixed text around the record's bytes and their SHA-256, so
// that any flipped byte is detected.
const (
	sealHead = `{"sha256":"`
	sealBody = `","record":`
	sealTail = "}\n"
)

// Seal encodes v as a record with its own checksum.
func Seal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	sum := sha256.Sum256(body)
	return []byte(sealHead + hex.EncodeToString(sum[:]) + sealBody + string(body) + sealTail), nil
}

// Unseal checks a record and decodes it. The error is a *CorruptError or a *VersionError.
func Unseal(name string, data []byte, into any) error {
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
	if head.Version != FormatVersion {
		return &VersionError{Name: name, Version: head.Version, Known: FormatVersion}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &CorruptError{Name: name, Problem: "has content that does not match its name", Err: err}
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

// CreateSealed seals v and creates it as a record. If a record with that name and the same bytes
// exists, CreateSealed returns nil, because an earlier attempt succeeded and its response was lost.
func CreateSealed(ctx context.Context, store Store, name string, v any) error {
	data, err := Seal(v)
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

// ReadSealed reads and checks a record. The error wraps fs.ErrNotExist if there is no record of
// that name. It is a *CorruptError if the record is damaged, and a *VersionError if the record has
// another format than this build reads.
func ReadSealed(ctx context.Context, store Store, name string, into any) error {
	data, err := store.Read(ctx, name)
	if err != nil {
		return err
	}
	return Unseal(name, data, into)
}

// storeFormat is the record with the format version of a store.
type storeFormat struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
}

// SealFormat returns the record that every store has under FormatName.
func SealFormat() ([]byte, error) {
	return Seal(storeFormat{Version: FormatVersion, Kind: "syncd ledger"})
}

// CheckFormat returns an error unless data is a format record with a version that this build reads.
func CheckFormat(data []byte) error {
	var format storeFormat
	return Unseal(FormatName, data, &format)
}
