package usage

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"syncd/internal/buildinfo"
	"syncd/internal/exit"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// ManualDate returns the date of the manual pages: SOURCE_DATE_EPOCH (see the "Reproducible Builds"
// specification), or else the date of the built revision. Without either it returns 1 January 1970,
// because today's date would make the pages differ from day to day.
func ManualDate(lookupEnv func(name string) (value string, ok bool)) (time.Time, error) {
	if epoch, ok := lookupEnv("SOURCE_DATE_EPOCH"); ok {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, exit.WithHint(exit.Usage(fmt.Errorf("read SOURCE_DATE_EPOCH: %q is not a number", epoch)), "set it to seconds since 1970, or unset it")
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key != "vcs.time" {
				continue
			}
			if date, err := time.Parse(time.RFC3339, setting.Value); err == nil {
				return date.UTC(), nil
			}
		}
	}
	return time.Unix(0, 0).UTC(), nil
}

// WriteManual writes the manual pages of root and the commands under it into dir. It changes the
// texts of the commands, so the commands must not be used afterwards.
func WriteManual(root *cobra.Command, date time.Time, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // everyone may read a manual
		return fmt.Errorf("write manual: %w", err)
	}
	prepareManual(root)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "syncd " + buildinfo.Read().Version, Manual: "syncd manual"}
	if err := doc.GenManTree(root, header, filepath.Clean(dir)); err != nil {
		return fmt.Errorf("write manual: %w", err)
	}
	return nil
}

// prepareManual replaces the texts of a command and of the commands under it with Markdown, because
// cobra renders manual pages from Markdown. It writes the list of options itself and hides the
// flags from cobra, which would write --config="" instead of --config FILE.
func prepareManual(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true // the tag would contain the date of the run
	cmd.DisableFlagsInUseLine = true
	if cmd.HasSubCommands() && cmd.Use == cmd.Name() {
		cmd.Use += " COMMAND"
	}
	cmd.InitDefaultHelpFlag()
	text, codes, _ := strings.Cut(cmd.Long, "Exit codes:\n")
	if strings.TrimSpace(text) == "" {
		text = cmd.Short + "."
	}
	cmd.Long = strings.TrimSpace(plainMarkdown(text)) + "\n\n# OPTIONS\n" + optionList(cmd) + "# EXIT STATUS\n" + definitions(codes)
	for _, child := range cmd.Commands() {
		prepareManual(child)
	}
}

// optionList returns the flags of a command as a Markdown list, and hides the flags.
func optionList(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		if flag.Shorthand != "" {
			fmt.Fprintf(&b, "**-%s**, ", flag.Shorthand)
		}
		fmt.Fprintf(&b, "**--%s**", flag.Name)
		value, usage := pflag.UnquoteUsage(flag)
		if value != "" {
			fmt.Fprintf(&b, " *%s*", value)
		}
		if flag.Value.Type() == "string" && flag.DefValue != "" {
			usage += " (default " + flag.DefValue + ")"
		}
		fmt.Fprintf(&b, "\n: %s\n\n", plainMarkdown(usage))
		flag.Hidden = true
	})
	return b.String()
}

// plainMarkdown escapes characters that Markdown would read as markup, as in
// words_with_underscores.
func plainMarkdown(text string) string {
	return strings.NewReplacer("_", `\_`, "*", `\*`, "<", `\<`).Replace(text)
}

// definitions turns the lines " CODE meaning" of the exit codes into a Markdown definition list.
func definitions(table string) string {
	var b strings.Builder
	for _, row := range regexp.MustCompile(`(?m)^  (\d+) +(.+)$`).FindAllStringSubmatch(table, -1) {
		fmt.Fprintf(&b, "**%s**\n: %s\n\n", row[1], plainMarkdown(row[2]))
	}
	return b.String()
}
