using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows who</c>: who held an address at a time, and everything that was ever said about it.</summary>
internal static class WhoVerb
{
    public static Command Create()
    {
        var address = new Argument<string>("address") { Description = "An IPv4 or IPv6 address.", HelpName = "ADDRESS" };
        var at = new Option<string>("--at")
        {
            Description = "The time in question: a time such as 2026-01-31T10:00:00Z, or an age such as 2h.",
            HelpName = "TIME",
            DefaultValueFactory = _ => "now",
        };
        var scope = new Option<string?>("--scope") { Description = "The address scope. All scopes unless given.", HelpName = "SCOPE" };
        var store = CommonOptions.Store();
        var output = CommonOptions.Output("table", "json");

        var verb = new Command("who", """
            Tell who held an address at a time, who said so, and when that was learned.
            Ends with exit code 3 when nobody is known to have held it then.

            Example: who was 10.0.3.7 two hours ago?
              flows who 10.0.3.7 --at 2h --store /var/lib/flows
            """)
        { address, at, scope, store, output };
        verb.SetAction(parsed =>
        {
            var who = NetAddress.Parse(parsed.GetRequiredValue(address));
            var timeUs = UnixTime.Parse(parsed.GetRequiredValue(at), TimeProvider.System.NowUs());
            using var reader = StoreReader.Open(parsed.GetRequiredValue(store).FullName);
            var ledger = Ledger.Empty.Add(reader.IdentitiesAbout(who));
            return (int)Answer(ledger, who, timeUs, parsed.GetValue(scope), parsed.GetRequiredValue(output), parsed.InvocationConfiguration.Output);
        });
        return verb;
    }

    /// <summary>Prints the answer and tells whether there is one.</summary>
    internal static ExitCode Answer(Ledger ledger, NetAddress address, long timeUs, string? scope, string format, TextWriter to)
    {
        var history = ledger.History(scope, address);
        var answers = history.Select(said => said.Entity.Scope).Distinct()
            .Select(one => (Scope: one, Resolution: ledger.At(one, address, timeUs)))
            .Where(answer => answer.Resolution.Span is not null)
            .ToArray();
        if (format == "json")
        {
            to.WriteLine(JsonSerializer.Serialize(Report(address, timeUs, answers, history), Json.Indented.WhoReport));
        }
        else
        {
            PrintProse(address, timeUs, answers, history, to);
        }

        return answers.Length > 0 ? ExitCode.Ok : ExitCode.No;
    }

    private static void PrintProse(
        NetAddress address, long timeUs, (string Scope, Resolution Resolution)[] answers, IReadOnlyList<IdentityInterval> history, TextWriter to)
    {
        if (answers.Length == 0)
        {
            to.WriteLine($"nobody is known to have held {address} at {UnixTime.Text(timeUs)}");
        }

        foreach (var (scope, resolution) in answers)
        {
            var span = resolution.Span!;
            var names = string.Join(" or ", resolution.Candidates.Select(Described));
            var through = span.PrefixLength == 128 ? "" : $", as part of {new AddressRange(span.Address, span.PrefixLength)}";
            to.WriteLine($"{address} in scope {VisibleText.Of(scope)} at {UnixTime.Text(timeUs)}: {names}{(resolution.Candidates.Count > 1 ? " (ambiguous)" : "")}{through}");
            to.WriteLine($"  from {UnixTime.Text(span.FromUs)} {(span.ToUs == long.MaxValue ? "on" : $"until {UnixTime.Text(span.ToUs)}")}, learned {UnixTime.Text(span.LearnedAtUs)}");
        }

        if (history.Count > 0)
        {
            var table = new DataTable("scope", "addr", "kind", "namespace", "name", "workload", "node", "valid_from", "valid_to", "learned_at", "origin", "standing");
            foreach (var said in history)
            {
                table.Add(
                    Visible(said.Entity.Scope), RangeOf(said), Entity.TextOf(said.Entity.Kind), Visible(said.Entity.Namespace), Visible(said.Entity.Name),
                    Visible(said.Entity.Workload), Visible(said.Entity.Node), UnixTime.Text(said.ValidFromUs),
                    EndOf(said), UnixTime.Text(said.LearnedAtUs), Visible(said.Origin), StandingOf(said, history));
            }

            to.WriteLine();
            table.Print("table", to);
        }
    }

    private static WhoReport Report(
        NetAddress address, long timeUs, (string Scope, Resolution Resolution)[] answers, IReadOnlyList<IdentityInterval> history) => new(
        address.ToString(),
        UnixTime.Text(timeUs),
        [.. answers.Select(answer => Holder(answer.Scope, answer.Resolution.ResolvedBy, answer.Resolution.Span!, answer.Resolution.Candidates))],
        [.. history.Select(said => Statement(said, StandingOf(said, history)))]);

    private static WhoHolder Holder(string scope, ResolvedBy resolvedBy, NameSpan span, IReadOnlyList<Entity> candidates) => new(
        scope,
        resolvedBy,
        UnixTime.Text(span.FromUs),
        span.ToUs == long.MaxValue ? null : UnixTime.Text(span.ToUs),
        UnixTime.Text(span.LearnedAtUs),
        [.. candidates.Select(WhoEntity.Of)]);

    private static WhoStatement Statement(IdentityInterval said, string standing) => new(
        said.Entity.Scope,
        RangeOf(said),
        WhoEntity.Of(said.Entity),
        UnixTime.Text(said.ValidFromUs),
        said.ValidToUs is { } end ? UnixTime.Text(end) : null,
        said.EndUncertain,
        UnixTime.Text(said.LearnedAtUs),
        said.RevokedAtUs is { } revoked ? UnixTime.Text(revoked) : null,
        said.Origin,
        standing);

    private static string Described(Entity entity) =>
        VisibleText.Of($"{entity.Title}{(entity.Workload.Length > 0 ? $" of {entity.WorkloadKind} {entity.Workload}" : "")}");

    private static string Visible(string text) => VisibleText.Of(text);

    /// <summary>When the interval ended; at the latest, where nobody saw it end.</summary>
    private static string EndOf(IdentityInterval said) => said.ValidToUs is { } end ? (said.EndUncertain ? "by " : "") + UnixTime.Text(end) : "";

    private static string RangeOf(IdentityInterval said) => AddressRange.Of(said.Address, said.PrefixLength).ToString();

    /// <summary>Whether a statement still counts: the history lists those of one interval in the order in which they came to hold.</summary>
    private static string StandingOf(IdentityInterval said, IReadOnlyList<IdentityInterval> history) =>
        !ReferenceEquals(said, history.Last(other => other.IntervalId == said.IntervalId)) ? "superseded"
        : said.RevokedAtUs is not null ? "revoked"
        : "holds";
}
