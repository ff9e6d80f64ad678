package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/policy"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/secretfile"
	"syncd/internal/usage"
)

// policyFlags are the flags of `syncd policy`.
type policyFlags struct {
	options     policy.Options
	side, style string
	format      string
	output      string
	secrets     bool
}

func policyCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var of policyFlags
	cmd := &cobra.Command{
		Use:   "policy [--config FILE] [--mapping NAME]...",
		Short: "Generate the least-privilege policies that both accounts need",
		Long: `policy generates the documents that both accounts must apply: permissions and trust policies of every role, bucket policies, key
policies, and lifecycle rules. They grant what the configuration needs and nothing more; docs/permissions.md lists which request
needs which permission. policy sends no request to AWS.

It prints the documents to standard output, and notes about them to standard error. --format json prints one object with all
documents; with -o DIR it writes a file per document, ready for the AWS CLI. terraform and cloudformation produce one file per
account. If the name after -o ends in .json or .tf, policy writes everything into that one file.

ExternalIds are required variables in terraform and parameters in cloudformation. JSON on standard output has the placeholder
` + secret.Placeholder + ` instead, and "syncd policy check" reports that placeholder as a finding. JSON files contain the real ExternalIds. With --with-secrets, every format contains them. policy replaces files atomically, and only the user who runs it can read them (mode 0600).

--style selects how the owner's bucket and key policies identify the consumer. With role they name the consumer's role. With account they name the consumer's account, whose
administrators then decide who has access. With abac they allow only sessions with the session tags that the configuration sets. Trust policies
name the principal that may assume the role, if it is known (see --principal).` + exit.Help("policy", 0, 1, 2, 130),
		Example: `  syncd policy --config syncd.yaml --side owner
  syncd policy --config syncd.yaml --style abac --org-id o-a1b2c3d4e5 --format terraform -o policies`,
		RunE: func(*cobra.Command, []string) error { return writePolicies(p, f, of) },
	}
	invocation.AddFlags(cmd, &f)
	o := &of.options
	cmd.Flags().StringVar(&of.side, "side", "both", "which account's documents to generate: `owner`, consumer or both")
	cmd.Flags().StringVar(&of.style, "style", "role", "how the owner's policies identify the consumer: `role`, account or abac")
	cmd.Flags().StringVar(&of.format, "format", "json", "`json`, terraform or cloudformation")
	cmd.Flags().StringVar(&o.OrgID, "org-id", "", "allow principals from other accounts only if they belong to this `ORGANIZATION`")
	cmd.Flags().StringVar(&o.VPCEndpoint, "vpc-endpoint", "", "deny reads of the sources unless the request comes through this `ENDPOINT`")
	cmd.Flags().StringVar(&o.Principal, "principal", "", "`ARN` of the role or user whose credentials syncd finds in its environment")
	cmd.Flags().StringArrayVar(&o.SourceKeys, "source-key", nil, "`ARN` of a KMS key that encrypts a source; may be repeated")
	cmd.Flags().StringVarP(&of.output, "output", "o", "", "write files into `DIR`, or into one file if the name ends in .json or .tf")
	cmd.Flags().BoolVar(&of.secrets, "with-secrets", false, "also include ExternalIds on standard output and in terraform and cloudformation files")
	cmd.AddCommand(policyCheckCommand(p))
	return cmd
}

func writePolicies(p invocation.Process, f invocation.Flags, of policyFlags) error {
	c, _, _, err := invocation.Load(p, f, invocation.Gate()...)
	if err != nil {
		return err
	}
	if err := of.check(); err != nil {
		return err
	}
	o := of.options
	o.Mapping, o.Side, o.Style = f.Mappings, access.Side(of.side), policy.Style(of.style)
	o.ExternalID = of.externalID(p, c)
	documents, err := policy.Documents(c, o)
	if err != nil {
		return exit.Usage(err)
	}
	if len(documents) == 0 {
		return exit.WithHint(exit.Usage(fmt.Errorf("write policies: no account belongs only to the %s's side", of.side)), "choose another --side, or both")
	}
	files, err := render(documents, of)
	if err != nil {
		return err
	}
	printNotes(p.Stderr, documents)
	switch {
	case of.inFolder():
		return secretfile.WriteFolder(p.Stdout, of.output, files)
	case of.output != "":
		return secretfile.Write(p.Stdout, []secretfile.File{{Path: of.output, Text: files[0].Text}})
	}
	_, err = printable.JSON(printable.Lines(p.Stdout)).Write(files[0].Text)
	return err
}

// check rejects unknown values of --side and --style.
func (of policyFlags) check() error {
	sides, styles := []access.Side{access.Both, access.Owner, access.Consumer}, []policy.Style{policy.RoleStyle, policy.AccountStyle, policy.ABACStyle}
	switch {
	case !slices.Contains(sides, access.Side(of.side)):
		return usage.UnknownWord("write policies: --side", access.Side(of.side), sides)
	case !slices.Contains(styles, policy.Style(of.style)):
		return usage.UnknownWord("write policies: --style", policy.Style(of.style), styles)
	}
	return nil
}

// externalID returns the function that looks up the ExternalId of a role for the documents.
func (of policyFlags) externalID(p invocation.Process, c *config.Config) func(role string) (string, error) {
	switch {
	case of.secrets, of.format == "json" && of.output != "":
		return resolveExternalID(p, c)
	case of.format == "json":
		return func(string) (string, error) { return secret.Placeholder, nil }
	}
	return policy.ExternalIDVariable
}

// inFolder reports whether -o names a folder.
func (of policyFlags) inFolder() bool {
	if of.output == "" {
		return false
	}
	if info, err := os.Stat(of.output); err == nil && info.IsDir() {
		return true
	}
	return !slices.Contains([]string{".json", ".tf"}, filepath.Ext(of.output))
}

// resolveExternalID returns a function that reads the ExternalId of a role. If the configuration of
// the role has no ExternalId, the function returns the placeholder, because the generated trust
// policy requires an ExternalId.
func resolveExternalID(p invocation.Process, c *config.Config) func(role string) (string, error) {
	return func(role string) (string, error) {
		source := c.Roles[role].ExternalID
		if !source.Sent() {
			return secret.Placeholder, nil
		}
		id, err := source.Resolve(p.LookupEnv, p.ReadFile)
		if err != nil {
			return "", fmt.Errorf("%w; or use --format terraform or cloudformation, where it is a variable", err)
		}
		return id.Reveal(), nil
	}
}

// render renders the documents in the format that --format selects. If -o does not name a folder,
// the result is exactly one text.
func render(documents []policy.Document, of policyFlags) ([]policy.Rendered, error) {
	formats := map[string]func([]policy.Document) ([]policy.Rendered, error){
		"json": policy.JSON, "terraform": policy.Terraform, "cloudformation": policy.CloudFormation,
	}
	format := formats[of.format]
	if format == nil {
		return nil, usage.UnknownWord("write policies: --format", of.format, []string{"json", "terraform", "cloudformation"})
	}
	if of.format == "json" && !of.inFolder() {
		text, err := policy.JSONBundle(documents)
		return []policy.Rendered{{Text: text}}, err
	}
	files, err := format(documents)
	if err == nil && !of.inFolder() && len(files) != 1 {
		err = severalFiles(len(files), of)
	}
	return files, err
}

// severalFiles returns the error for a format that needs n files if -o does not name a folder.
func severalFiles(n int, of policyFlags) error {
	if of.output == "" {
		return exit.Usage(fmt.Errorf("write policies: the output is %d files, one per account: add -o DIR, or choose a --side with one account", n))
	}
	return exit.WithHint(
		exit.Usage(fmt.Errorf("write policies: -o %s names one file, but the output is %d files, one per account", of.output, n)),
		"name a folder with -o, or choose a --side with one account",
	)
}

// printNotes prints the notes about each document.
func printNotes(w io.Writer, documents []policy.Document) {
	for _, d := range documents {
		printable.Fprintf(w, "%s (account %s, %s)\n", d.Name, d.Account, d.Title)
		for _, note := range d.Notes {
			printable.Fprintf(w, "  note: %s\n", note)
		}
	}
}
