package config

import (
	"log/slog"

	"syncd/internal/transfer"
)

// LogLevel is the lowest level that is logged. It is a slog.Leveler.
type LogLevel string

// The log levels.
const (
	LogLevelDebug LogLevel = "debug"
	LogLevelInfo  LogLevel = "info"
	LogLevelWarn  LogLevel = "warn"
	LogLevelError LogLevel = "error"
)

var _ slog.Leveler = LogLevel("")

// Choices returns the values that the setting accepts.
func (LogLevel) Choices() []string { return []string{"debug", "info", "warn", "error"} }

// Level returns the level as a slog.Level.
func (l LogLevel) Level() slog.Level {
	switch l {
	case LogLevelDebug:
		return slog.LevelDebug
	case LogLevelWarn:
		return slog.LevelWarn
	case LogLevelError:
		return slog.LevelError
	case LogLevelInfo:
	}
	return slog.LevelInfo
}

// LogFormat is the format of a log line.
type LogFormat string

// The log formats.
const (
	LogFormatAuto LogFormat = "auto"
	LogFormatJSON LogFormat = "json"
	LogFormatText LogFormat = "text"
)

// Choices returns the values that the setting accepts.
func (LogFormat) Choices() []string { return []string{"auto", "json", "text"} }

// SessionPolicy says whether an assumed session is restricted to less than its role allows.
type SessionPolicy string

// The session policies.
const (
	SessionPolicyNone   SessionPolicy = "none"
	SessionPolicyScoped SessionPolicy = "scoped"
)

// Choices returns the values that the setting accepts.
func (SessionPolicy) Choices() []string { return []string{"none", "scoped"} }

// CopyMode is how bytes move from source to destination.
type CopyMode string

// The copy modes.
const (
	// CopyModeAuto copies server-side if S3 can copy with one role for both sides, and relays
	// otherwise.
	CopyModeAuto = CopyMode(transfer.Auto)
	// CopyModeServerSide uses CopyObject and UploadPartCopy: no byte passes through syncd.
	CopyModeServerSide = CopyMode(transfer.ServerSide)
	// CopyModeRelay streams the bytes through syncd: it reads with one role and writes with the
	// other.
	CopyModeRelay = CopyMode(transfer.Relay)
)

// Choices returns the values that the setting accepts.
func (CopyMode) Choices() []string {
	return []string{string(transfer.Auto), string(transfer.ServerSide), string(transfer.Relay)}
}

// Carry says whether a property of an object, such as its metadata, is copied with its content.
type Carry string

// The values of Carry.
const (
	CarryCopy Carry = "copy"
	CarryOmit Carry = "omit"
)

// Choices returns the values that the setting accepts.
func (Carry) Choices() []string { return []string{"copy", "omit"} }

// Overwrite says which destination objects syncd may replace.
type Overwrite string

// The values of Overwrite.
const (
	OverwriteOwned Overwrite = "owned"
	OverwriteAny   Overwrite = "any"
)

// Choices returns the values that the setting accepts.
func (Overwrite) Choices() []string { return []string{"owned", "any"} }

// ACL is the access control list that copies are written with.
type ACL string

// The values of ACL.
const (
	// ACLOmit sends no ACL.
	ACLOmit ACL = "omit"
	// ACLBucketOwner gives the bucket owner full control.
	ACLBucketOwner ACL = "bucket-owner-full-control"
)

// Choices returns the values that the setting accepts.
func (ACL) Choices() []string { return []string{"omit", "bucket-owner-full-control"} }

// StorageClassKeep is the storage class setting that gives each copy the storage class of its
// source.
const StorageClassKeep = "keep"

// Checksum says whether copies are compared with their source by checksum.
type Checksum string

// The values of Checksum.
const (
	ChecksumVerify Checksum = "verify"
	ChecksumOff    Checksum = "off"
)

// Choices returns the values that the setting accepts.
func (Checksum) Choices() []string { return []string{"verify", "off"} }
