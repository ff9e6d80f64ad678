package exit

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/syncer"
)

// Meaning is an exit code and its meaning, in general and for individual commands.
type Meaning struct {
	Code    int
	General string
	of      map[string]string // the meaning for a command, by the command's name without "syncd"
}

// Table returns all exit codes. docs/cli.md has the same table.
func Table() []Meaning {
	const settled, wrongFlags = "done: no object was quarantined", "usage: wrong flags"
	const whileReading = "interrupted while reading its input"
	const notAwaited = "interrupted: the message reports what happens to the request"
	return []Meaning{
		{syncer.ExitDone, "done", map[string]string{
			"backfill": settled, "replay": settled, "run": "drained: all progress is saved", "healthcheck": "the daemon is healthy",
			"doctor": "nothing failed", "verify": "no difference is left", "policy check": "nothing to change",
		}},
		{syncer.ExitFailed, "failed or denied: the message says what failed, where, and what to do", map[string]string{
			"doctor": "a check failed", "healthcheck": "the daemon is unhealthy or does not answer",
		}},
		{CodeUsage, "usage: wrong flags, or a faulty or unreadable configuration", map[string]string{
			"policy check": "usage: wrong flags, or an unreadable file", "healthcheck": "usage: wrong flags, or an unreadable configuration", "version": wrongFlags, "demo": wrongFlags,
			"config": "usage: no such command", "ledger": "usage: no such command", "help": "usage: no such command",
			"completion": "usage: unknown shell", "man": "usage: no DIR, or a SOURCE_DATE_EPOCH that is not a number",
		}},
		{syncer.ExitQuarantined, "done, but some objects were quarantined, or some copies that are due to be deleted were kept", nil},
		{CodeFindings, "findings of policy check, work of plan --detailed-exitcode, or differences of verify", map[string]string{
			"policy check": "an error or a warning was found", "plan": "with --detailed-exitcode: there is something to copy, adopt, delete or quarantine",
			"verify": "there are differences, or with --repair: not all could be mended",
		}},
		{syncer.ExitLeaseHeld, "another process holds the lease of a mapping", nil},
		{syncer.ExitInterrupted, "interrupted: the progress is saved, and the next pass resumes from there", map[string]string{
			"plan": interruptedText("plan"), "doctor": interruptedText("doctor"), "verify": interruptedText("verify") + "; with --repair, the progress is saved", "status": interruptedText("status"), "healthcheck": interruptedText("healthcheck"),
			"ledger export": interruptedText("ledger export"), "ledger rename": interruptedText("ledger rename"),
			"run": whileReading, "policy": whileReading, "policy check": whileReading, "config check": whileReading, "config show": whileReading,
			"trigger": notAwaited, "pause": notAwaited, "resume": notAwaited, "rekey": notAwaited,
		}},
	}
}

func interruptedText(command string) string { return "interrupted: " + afterInterruption(command) }

// afterInterruption describes the state after a command that runs no pass was interrupted.
func afterInterruption(command string) string {
	switch command {
	case "ledger export":
		return "the output is incomplete; run it again"
	case "ledger rename":
		return "the mapping has the complete ledger or none; run it again"
	case "healthcheck":
		return "the health of the daemon is unknown"
	case "demo":
		return ""
	default:
		return "nothing was written; run it again"
	}
}

// Help returns the section of a command's help that lists its exit codes. For command "" it lists
// all of them.
func Help(command string, codes ...int) string {
	var b strings.Builder
	b.WriteString("\n\nExit codes:")
	for _, row := range Table() {
		if command != "" && !slices.Contains(codes, row.Code) {
			continue
		}
		text := row.General
		if own, ok := row.of[command]; ok {
			text = own
		}
		line := fmt.Sprintf("\n  %-3d  %s", row.Code, text)
		b.WriteString(line)
	}
	return b.String()
}
