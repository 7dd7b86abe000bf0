namespace Flows.Core.Policy;

/// <summary>The script that loads a host's rules and takes them back unless somebody says that the host is still reached.</summary>
internal static class NftablesScript
{
    public const string Text = """
        #!/bin/sh
        # Loads the rules of flows_policy.nft in one transaction, and takes them back after a time unless they are confirmed.
        #   apply.sh [SECONDS]   load; back to what was there after SECONDS (default 60) without a confirmation
        #   apply.sh confirm     keep what was loaded
        #   apply.sh remove      take the table away; no other table is touched
        set -eu
        here=$(cd "$(dirname "$0")" && pwd)
        state=${FLOWS_POLICY_STATE:-/run/flows-policy}
        table=flows_policy

        case ${1:-60} in
          confirm)
            [ -e "$state/pending" ] || { echo "nothing waits for a confirmation" >&2; exit 1; }
            rm -f "$state/pending"
            echo "kept"
            exit 0
            ;;
          remove)
            rm -f "$state/pending"
            nft list table inet "$table" >/dev/null 2>&1 || exit 0
            nft delete table inet "$table"
            exit 0
            ;;
          *[!0-9]*)
            echo "usage: apply.sh [SECONDS|confirm|remove]" >&2
            exit 2
            ;;
        esac

        seconds=${1:-60}
        mkdir -p "$state"
        nft --check --file "$here/flows_policy.nft"

        # What was there is kept as a file that replaces the table again, or only deletes it.
        {
          printf 'table inet %s\ndelete table inet %s\n' "$table" "$table"
          nft list table inet "$table" 2>/dev/null || true
        } >"$state/before.nft"

        token=$$-$(date +%s)
        echo "$token" >"$state/pending"
        nft --file "$here/flows_policy.nft"
        (
          trap '' HUP
          sleep "$seconds"
          if [ "$(cat "$state/pending" 2>/dev/null)" = "$token" ]; then
            nft --file "$state/before.nft"
            rm -f "$state/pending"
          fi
        ) >/dev/null 2>&1 &
        echo "loaded; run '$0 confirm' within $seconds seconds, or it is taken back"

        """;
}
