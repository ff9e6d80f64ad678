package main

import (
	"errors"

	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/invocation"

	"github.com/spf13/cobra"
)

func demoCommand(p invocation.Process) *cobra.Command {
	var from, serve, dir string
	var json, empty bool
	cmd := &cobra.Command{
		Use:   "demo [--from DIR] [--json] | demo --serve ADDRESS --dir DIR [--from DIR | --empty]",
		Short: "Show the whole story with two AWS accounts in this process",
		Long: `demo sets up two AWS accounts in this process, with buckets, keys, a role and policies, and has syncd copy from
the one to the other with real requests over loopback. Nothing leaves this machine.

With --serve the two accounts stay up, so that syncd and any S3 client can be tried against them: DIR gets a configuration
(syncd.yaml), an AWS credentials file with a profile for the administrator of each account (owner,
consumer), and the settings of a shell that uses them (environment). The ledger of an earlier demo
in DIR is removed, because its accounts are gone.

With --empty each account has an administrator and nothing else: no bucket, key, role or policy.
S3, KMS, IAM, STS and CloudFormation answer the AWS CLI, and policies are in force, so that all of
docs/getting-started.md can be rehearsed. The endpoint has TLS, because the configuration of that
page names none; DIR/ca.pem is the certificate of its authority.` + exit.Help("demo", 0, 1, 2, 3, 130),
		Example: "  syncd demo\n  syncd demo --from /usr/share/doc --json\n  syncd demo --serve 127.0.0.1:9000 --dir /tmp/syncd-demo\n" +
			"  syncd demo --serve 127.0.0.1:9000 --dir /tmp/rehearsal --empty",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (serve == "") != (dir == "") {
				return exit.Usage(errors.New("demo: --serve and --dir go together: where the accounts are served, and the folder for syncd.yaml and credentials"))
			}
			if empty && (serve == "" || from != "") {
				return exit.Usage(errors.New("demo: --empty goes with --serve and without --from: it leaves out the bucket that --from fills"))
			}
			if serve != "" {
				return demo.Serve(cmd.Context(), p, demo.Options{From: from, Address: serve, Dir: dir, Empty: empty})
			}
			return demo.Tell(cmd.Context(), p, demo.Options{From: from, JSON: json})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "fill the source from the files of `DIR`, which are held in memory (default a varied set of its own)")
	cmd.Flags().BoolVar(&json, "json", false, "print the summaries of the passes as one JSON object on the last line")
	cmd.Flags().StringVar(&serve, "serve", "", "keep the two accounts up on the loopback `ADDRESS`")
	cmd.Flags().StringVar(&dir, "dir", "", "the `DIR` that --serve writes syncd.yaml, credentials and environment into")
	cmd.Flags().BoolVar(&empty, "empty", false, "serve accounts without buckets, keys, roles and policies, in which all can be set up with the AWS CLI")
	return cmd
}
