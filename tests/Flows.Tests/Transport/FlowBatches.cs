using Apache.Arrow;
using Apache.Arrow.Ipc;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Tests.Transport;

/// <summary>Batches of made-up flows, each row recognisable by its connection id.</summary>
internal static class FlowBatches
{
    public const string Node = "node-1";
    public const string Scope = "lab";

    public static ulong NodeId => StableId.OfNode(Node);

    public static ulong ScopeId => StableId.OfScope(Scope);

    public delegate void Change(ref FlowRow row);

    public static RecordBatch Of(int rows, ulong firstConnection = 0, Change? change = null)
    {
        var builder = new FlowBatchBuilder(Math.Max(1, rows));
        for (var i = 0; i < rows; i++)
        {
            var row = Row(firstConnection + (ulong)i);
            change?.Invoke(ref row);
            builder.Append(in row);
        }

        return builder.Build();
    }

    /// <summary>The stream as a writer without compression makes it.</summary>
    public static byte[] Uncompressed(RecordBatch batch)
    {
        using var bytes = new MemoryStream();
        using (var writer = new ArrowStreamWriter(bytes, batch.Schema, leaveOpen: true))
        {
            writer.WriteRecordBatch(batch);
            writer.WriteEnd();
        }

        return bytes.ToArray();
    }

    /// <summary>The bytes of every column: values, and null or not.</summary>
    public static string Text(RecordBatch batch) => string.Join('\n', batch.Arrays.Select(array =>
    {
        var data = array.Data;
        var nulls = string.Concat(Enumerable.Range(0, array.Length).Select(i => array.IsNull(i) ? '0' : '1'));
        var width = FlowColumns.Wire[batch.Arrays.ToList().IndexOf(array)].Width;
        return $"{data.Length} {nulls} {Convert.ToHexString(data.Buffers[1].Span[..(data.Length * width)])}";
    }));

    private static FlowRow Row(ulong connection) => new()
    {
        WindowStartUs = 1_700_000_000_000_000 + (long)connection,
        WindowEndUs = 1_700_000_001_000_000 + (long)connection,
        ConnStartUs = 1_700_000_000_000_000,
        ConnId = connection,
        Src = NetAddress.FromV4(0x0A000001),
        Dst = NetAddress.FromV4((uint)(0x0A000100 + (connection % 200))),
        SrcPort = (ushort)(connection * 31),
        DstPort = 443,
        Protocol = IpProtocol.Tcp,
        NatDst = connection % 3 == 0 ? NetAddress.FromV4(0x0A000200) : null,
        FwdPackets = connection * 3,
        RevBytes = connection % 2 == 0 ? connection * 1000 : null,
        State = FlowState.Established,
        EndReason = EndReason.Active,
        DirectionBy = DirectionBy.CtNew,
        Source = FlowSource.Conntrack,
        NodeId = NodeId,
        ScopeId = ScopeId,
        Sampling = 1,
    };
}
