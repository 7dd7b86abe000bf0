using System.Diagnostics;
using Flows.Benchmarks.Traffic;

namespace Flows.Benchmarks.Conntrack;

/// <summary>
/// Opens one-packet flows through a router as fast as the kernel takes them and its table has room, answers them if wished, and ends each when it has timed out:
/// openings and endings come interleaved, as on a busy node. Runs on the calling thread, in its network namespace.
/// </summary>
internal sealed class FlowGenerator(string inside, string insideMac, string outside, string outsideMac)
{
    // Frames of one go; their buffer stays in the second-level cache.
    private const int FlowsPerGo = 1000;

    // The kernel's table holds 262,144 unless it is told otherwise; a full one would refuse flows.
    private const int OpenMax = 180_000;

    // The time-out of a second, and what timers may be late.
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1.3);

    private readonly Queue<(int FirstFlow, int Count, long OpenedAt)> open = new();
    private readonly byte[] buffer = new byte[FlowsPerGo * RefusalFrames.Length];
    private readonly RefusalFrames refusing = new(insideMac);

    /// <summary>Returns how long the opening took; comes back when the last flow has ended.</summary>
    public TimeSpan Run(int flows, bool answered)
    {
        using var client = new FrameSender(inside);
        using var server = new FrameSender(outside);
        UdpFrames asking = new(insideMac), answering = new(outsideMac, reply: true);
        var started = Stopwatch.StartNew();
        for (var flow = 0; flow < flows; flow += FlowsPerGo)
        {
            var count = Math.Min(FlowsPerGo, flows - flow);
            var frames = buffer.AsSpan(0, count * UdpFrames.Length);
            asking.Fill(frames, flow);
            client.Send(frames, UdpFrames.Length);
            if (answered)
            {
                answering.Fill(frames, flow);
                server.Send(frames, UdpFrames.Length);
            }

            open.Enqueue((flow, count, Stopwatch.GetTimestamp()));
            EndOld(client);
            while (open.Count * FlowsPerGo >= OpenMax)
            {
                AwaitOld(client);
            }
        }

        var took = started.Elapsed;
        while (open.Count > 0)
        {
            // At the pace of their opening, not all at once.
            AwaitOld(client);
        }

        return took;
    }

    private void AwaitOld(FrameSender client)
    {
        var left = Lifetime - Stopwatch.GetElapsedTime(open.Peek().OpenedAt);
        if (left > TimeSpan.Zero)
        {
            Thread.Sleep(left);
        }

        EndOld(client);
    }

    private void EndOld(FrameSender client)
    {
        while (open.TryPeek(out var old) && Stopwatch.GetElapsedTime(old.OpenedAt) >= Lifetime)
        {
            open.Dequeue();
            var frames = buffer.AsSpan(0, old.Count * RefusalFrames.Length);
            refusing.Fill(frames, old.FirstFlow);
            client.Send(frames, RefusalFrames.Length);
        }
    }
}
