using System.Runtime.InteropServices;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>One question that was put to a set, its answer, and the edges that it answers for.</summary>
internal sealed class Verdict(PolicyDecision decision)
{
    public PolicyDecision Decision { get; } = decision;

    public long Connections { get; set; }

    public int Edges { get; set; }

    public long LastSeenUs { get; set; }
}

/// <summary>
/// Judges edges by a set. Edges that the set cannot tell apart are judged once, whoever their pods are: what is asked grows with the workloads and not
/// with what they did.
/// </summary>
internal sealed class EdgeJudge
{
    private readonly record struct Question(int Src, int Dst, byte Protocol, ushort Port, Dialled? Dialled);

    private readonly EdgeSieve sieve;
    private readonly Dialect dialect;
    private readonly PolicyEvaluator evaluator;
    private readonly bool servicesMatter;
    private readonly Dictionary<Question, Verdict> verdicts = [];

    public EdgeJudge(EdgeSieve sieve, PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels, Dialect dialect)
    {
        (this.sieve, this.dialect) = (sieve, dialect);
        evaluator = new PolicyEvaluator(set, namespaceLabels, dialect);
        Governance = new Governance(evaluator);
        Classes = new PartyClasses(sieve, set);
        servicesMatter = set.Policies.Any(policy => policy.AllRules().Any(rule => rule.Rule.Peers.SelectMany(AnySegment.PartsOf).Any(peer => peer is ServiceSegment)));
    }

    public PartyClasses Classes { get; }

    public Governance Governance { get; }

    /// <summary>Every answer that was given, with the edges counted by <see cref="Count"/>.</summary>
    public IEnumerable<Verdict> Verdicts => verdicts.Values;

    /// <summary>The answers for each pair of addresses of the same family that the ends may have used; never none.</summary>
    public IReadOnlyList<Verdict> Judge(Edge edge)
    {
        var service = servicesMatter && edge.Service is { Kind: EntityKind.Service } dialled ? $"{dialled.Namespace}/{dialled.Name}" : "";
        var sources = Classes.Of(edge.Src);
        var destinations = Classes.Of(edge.Dst, service);
        List<Verdict> answers = new(sources.Length * destinations.Length);
        foreach (var src in sources)
        {
            foreach (var dst in destinations)
            {
                if (SameFamily(Classes[src], Classes[dst]))
                {
                    answers.Add(Ask(src, dst, edge.Protocol, edge.DstPort, DialledBy(edge, Classes[src])));
                }
            }
        }

        // Ends without a family in common met through a translator: judge a pair rather than none.
        return answers.Count > 0 ? answers : [Ask(sources[0], destinations[0], edge.Protocol, edge.DstPort, null)];
    }

    /// <summary>What the set says to a connection that nobody need have made; not remembered, since there are more of them than of those that were.</summary>
    public PolicyDecision Suppose(int src, int dst, byte protocol, ushort port)
    {
        var (from, to) = Classes.Between(src, dst);
        return evaluator.Evaluate(new Connection(from, to, protocol, port));
    }

    public static void Count(Edge edge, IReadOnlyList<Verdict> answers)
    {
        foreach (var answer in answers)
        {
            answer.Connections += edge.Connections;
            answer.Edges++;
            answer.LastSeenUs = Math.Max(answer.LastSeenUs, edge.LastSeenUs);
        }
    }

    private Verdict Ask(int src, int dst, byte protocol, ushort port, Dialled? dialled)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(verdicts, new Question(src, dst, protocol, port, dialled), out _);
        if (known is null)
        {
            var (from, to) = Classes.Between(src, dst);
            known = new Verdict(evaluator.Evaluate(new Connection(from, to, protocol, port) { Dialled = dialled }));
        }

        return known;
    }

    private static bool SameFamily(Party src, Party dst) => src.Address is not { } a || dst.Address is not { } b || a.IsV4 == b.IsV4;

    /// <summary>What the client dialled matters to those only who judge by it.</summary>
    private Dialled? DialledBy(Edge edge, Party src) => dialect.EgressBeforeDnat && edge is { Service: { } service, ServicePort: { } port }
        && sieve.AddressesOf(service).Where(address => address.PrefixLength == 128 && (src.Address is not { } own || own.IsV4 == address.IsV4)).ToList() is [var first, ..]
        ? new Dialled(first.First, port)
        : null;
}
