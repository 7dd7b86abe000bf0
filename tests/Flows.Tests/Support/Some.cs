using Apache.Arrow;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Tests.Support;

/// <summary>Plausible values for tests: say what matters, the rest is given.</summary>
internal static class Some
{
    /// <summary>2026-01-31T10:00:00Z.</summary>
    public static readonly long TimeUs = UnixTime.ToUs(new DateTimeOffset(2026, 1, 31, 10, 0, 0, TimeSpan.Zero));

    public static FlowRow Row(
        string src = "10.0.0.1", string dst = "10.0.0.2", ushort srcPort = 40000, ushort dstPort = 443, long? atUs = null, long? connStartUs = null,
        ulong connId = 1, uint windowNo = 0, string node = "node-a", string scope = "lab", FlowState state = FlowState.Closed, DirectionBy direction = DirectionBy.CtNew,
        string? natDst = null, ushort? natDstPort = null, string? natSrc = null, ushort? natSrcPort = null, ulong fwdBytes = 100, ulong revBytes = 200,
        byte protocol = IpProtocol.Tcp, FlowSource source = FlowSource.Conntrack) => new()
        {
            WindowStartUs = atUs ?? TimeUs,
            WindowEndUs = (atUs ?? TimeUs) + 1000,
            ConnStartUs = connStartUs ?? atUs ?? TimeUs,
            ConnId = connId,
            WindowNo = windowNo,
            Src = NetAddress.Parse(src),
            Dst = NetAddress.Parse(dst),
            SrcPort = srcPort,
            DstPort = dstPort,
            Protocol = protocol,
            NatDst = natDst is null ? null : NetAddress.Parse(natDst),
            NatDstPort = natDstPort,
            NatSrc = natSrc is null ? null : NetAddress.Parse(natSrc),
            NatSrcPort = natSrcPort,
            FwdPackets = 1,
            RevPackets = revBytes == 0 ? 0u : 2u,
            FwdBytes = fwdBytes,
            RevBytes = revBytes,
            State = state,
            EndReason = EndReason.End,
            DirectionBy = direction,
            Source = source,
            NodeId = StableId.OfNode(node),
            ScopeId = StableId.OfScope(scope),
            Sampling = 1,
        };

    public static RecordBatch Batch(params ReadOnlySpan<FlowRow> rows)
    {
        var builder = new FlowBatchBuilder(Math.Max(rows.Length, 1));
        foreach (ref readonly var row in rows)
        {
            builder.Append(in row);
        }

        return builder.Build();
    }

    public static IntakeRecord Record(ulong position, string node, params ReadOnlySpan<FlowRow> rows) =>
        new(position, new BatchId(Guid.Empty, 1, position), node, "lab", TimeUs, Batch(rows), null);

    public static Entity Pod(string name, string @namespace = "shop", string scope = "lab", string workload = "") => new()
    {
        Id = Entity.IdOf("c1", EntityKind.Pod, name),
        Kind = EntityKind.Pod,
        Scope = scope,
        Uid = name,
        Cluster = "c1",
        Namespace = @namespace,
        Name = name,
        WorkloadKind = workload.Length == 0 ? "" : "Deployment",
        Workload = workload,
        Labels = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["app"] = name },
    };

    public static IdentityInterval Identity(Entity entity, string address, long fromUs, long? toUs = null, long? learnedAtUs = null, byte prefix = 128)
    {
        var parsed = NetAddress.Parse(address);
        return new IdentityInterval
        {
            IntervalId = IdentityInterval.IdOf(entity, parsed, prefix, fromUs),
            Entity = entity,
            Address = parsed,
            PrefixLength = prefix,
            ValidFromUs = fromUs,
            ValidToUs = toUs,
            LearnedAtUs = learnedAtUs ?? fromUs,
            Origin = "file",
        };
    }
}
