using System.Runtime.InteropServices;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Transport.Intake;

/// <summary>What the values of a batch must fulfil, whatever their types allow.</summary>
internal static class RowCheck
{
    private static readonly long EarliestUs = UnixTime.ToUs(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly long LatestUs = UnixTime.ToUs(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly int WindowStart = IndexOf("window_start");
    private static readonly int WindowEnd = IndexOf("window_end");
    private static readonly int ConnStart = IndexOf("conn_start");
    private static readonly int NodeId = IndexOf("node_id");
    private static readonly int ScopeId = IndexOf("scope_id");
    private static readonly int Sampling = IndexOf("sampling");

    private static readonly (int Column, byte[] Codes)[] Enums =
    [
        (IndexOf("state"), CodesOf<FlowState>()),
        (IndexOf("end_reason"), CodesOf<EndReason>()),
        (IndexOf("direction_by"), CodesOf<DirectionBy>()),
        (IndexOf("source"), CodesOf<FlowSource>()),
    ];

    /// <summary>What is wrong with the values, given as the bytes of each column; null when nothing is.</summary>
    public static string? Problem(byte[][] columns, ulong nodeId, ulong scopeId, bool anyTime)
    {
        foreach (var column in anyTime ? (ReadOnlySpan<int>)[] : [WindowStart, WindowEnd, ConnStart])
        {
            foreach (var us in As<long>(columns[column]))
            {
                if (us < EarliestUs || us >= LatestUs)
                {
                    return $"a {FlowColumns.Wire[column].Name} is not between the years 2000 and 2100";
                }
            }
        }

        var starts = As<long>(columns[WindowStart]);
        var ends = As<long>(columns[WindowEnd]);
        for (var i = 0; i < starts.Length; i++)
        {
            if (starts[i] > ends[i])
            {
                return "a window ends before it starts";
            }
        }

        foreach (var (column, codes) in Enums)
        {
            if (columns[column].AsSpan().ContainsAnyExcept(codes))
            {
                return $"a {FlowColumns.Wire[column].Name} has a code that this server does not know";
            }
        }

        return As<uint>(columns[Sampling]).Contains(0u) ? "a sampling is 0; 1 means that every packet was looked at"
            : As<ulong>(columns[NodeId]).ContainsAnyExcept(nodeId) ? BatchValidator.NodeMismatch
            : As<ulong>(columns[ScopeId]).ContainsAnyExcept(scopeId) ? BatchValidator.ScopeMismatch
            : null;
    }

    // The wire is little endian and so are the machines that .NET runs on.
    private static ReadOnlySpan<T> As<T>(byte[] bytes) where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);

    private static byte[] CodesOf<T>() where T : struct, Enum => [.. Enum.GetValues<T>().Select(code => (byte)(object)code)];

    private static int IndexOf(string name)
    {
        for (var i = 0; i < FlowColumns.Wire.Count; i++)
        {
            if (FlowColumns.Wire[i].Name == name)
            {
                return i;
            }
        }

        throw new InvalidOperationException($"The column table has no {name}.");
    }
}
