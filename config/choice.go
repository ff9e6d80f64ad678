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

// Choices are the values the file may hold.
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

// Choices are the values the file may hold.
func (LogFormat) Choices() []string { return []string{"auto", "json", "text"} }

// SessionPolicy is how an assumed session is limited below what its role allows.
type SessionPolicy string

// The session policies.
const (
	SessionPolicyNone   SessionPolicy = "none"
	SessionPolicyScoped SessionPolicy = "scoped"
)

// Choices are the values the file may hold.
func (SessionPolicy) Choices() []string { return []string{"none", "scoped"} }

// CopyMode is how bytes move from source to destination.
type CopyMode string

// The copy modes.
const (
	// CopyModeAuto copies server-side when both sides use the same role, and relays otherwise.
	CopyModeAuto = CopyMode(transfer.Auto)
	// CopyModeServerSide uses CopyObject and UploadPartCopy: no byte passes through syncd.
	CopyModeServerSide = CopyMode(transfer.ServerSide)
	// CopyModeRelay reads with one role and writes with the other.
	CopyModeRelay = CopyMode(transfer.Relay)
)

// Choices are the values the file may hold.
func (CopyMode) Choices() []string {
	return []string{string(transfer.Auto), string(transfer.ServerSide), string(transfer.Relay)}
}

// Carry is whether something that belongs to an object is copied with it.
type Carry string

// The two ways.
const (
	CarryCopy Carry = "copy"
	CarryOmit Carry = "omit"
)

// Choices are the values the file may hold.
func (Carry) Choices() []string { return []string{"copy", "omit"} }

// Overwrite is which destination objects may be replaced.
type Overwrite string

// The two ways.
const (
	OverwriteOwned Overwrite = "owned"
	OverwriteAny   Overwrite = "any"
)

// Choices are the values the file may hold.
func (Overwrite) Choices() []string { return []string{"owned", "any"} }

// ACL is the access control list that copies are written with.
type ACL string

// The two ways.
const (
	// ACLOmit sends no ACL.
	ACLOmit ACL = "omit"
	// ACLBucketOwner gives the bucket owner full control.
	ACLBucketOwner ACL = "bucket-owner-full-control"
)

// Choices are the values the file may hold.
func (ACL) Choices() []string { return []string{"omit", "bucket-owner-full-control"} }

// StorageClassKeep is the storage class setting that gives each copy the storage class of its
// source.
const StorageClassKeep = "keep"

// Checksum is whether copies are compared with their source by checksum.
type Checksum string

// The two ways.
const (
	ChecksumVerify Checksum = "verify"
	ChecksumOff    Checksum = "off"
)

// Choices are the values the file may hold.
func (Checksum) Choices() []string { return []string{"verify", "off"} }
