using Flows.Capture.Packets;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>
/// Bytes that nobody sound would send: no exception, no endless loop, no packet without account. FLOWS_FUZZ_SEED repeats a run,
/// FLOWS_FUZZ_COUNT sets its length.
/// </summary>
public sealed class DecoderFuzzTests
{
    private const int Frames = 10_000_000;
    private const int RandomFrames = 200_000;

    /// <summary>Far above what any run takes; a loop without end must not hang the build.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Fact]
    public void Mutated_frames_are_each_in_a_flow_or_refused_for_a_reason()
    {
        var count = Fuzzing.Count(Frames);
        var mutator = new FrameMutator(FrameCorpus.Kept, Fuzzing.Seed);
        var account = PacketTracker.NewAccount();
        var tracker = Fuzzing.NewTracker(account);
        var results = new long[DecodeResults.Count];
        var number = 0;
        var cpu = TimeSpan.Zero;
        RunOrFail(() => number, () =>
        {
            for (; number < count; number++)
            {
                // Steps of 10 ms make fragments and flows meet, and age.
                results[(int)tracker.Track(mutator.Next(), mutator.LinkType, mutator.WireLength, number * 10_000L, (byte)(1 + (number % 3)))]++;
            }

            tracker.Finish();
            cpu = CpuTime.OfThread();
        });

        var report = account.Report();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seed {Fuzzing.Seed}: {count} frames, {report.Forwarded} in flows, {string.Join(", ", report.Dropped)}; {cpu.TotalSeconds:F1} s");
        Assert.True(report.Holds);
        Assert.Equal(count, report.Seen);

        // What Track said of each frame adds up to the books; only held fragments are settled later.
        DecodeResult[] fates = [DecodeResult.FragmentUnattributed, DecodeResult.TunnelFragment, DecodeResult.SeenElsewhere];
        var said = results[(int)DecodeResult.Ok] + results[(int)DecodeResult.FragmentHeld] + fates.Sum(fate => results[(int)fate]);
        Assert.Equal(said, report.Forwarded + fates.Sum(fate => report.Dropped[fate.Reason()]));
        foreach (var result in Enum.GetValues<DecodeResult>().Where(result => result != DecodeResult.FragmentUnattributed))
        {
            Assert.True(results[(int)result] > 0, $"no frame was {result.Reason()}");
        }
    }

    [Fact]
    public void Random_bytes_of_up_to_64_KiB_are_refused_or_counted()
    {
        var random = new Random(Fuzzing.Seed);
        var bytes = new byte[65_536];
        random.NextBytes(bytes);
        int[] linkTypes = [LinkType.Ethernet, LinkType.Raw, LinkType.Null, LinkType.Ppp, LinkType.LinuxSll, LinkType.LinuxSll2, LinkType.Ipv6, 999];
        var count = Fuzzing.Count(RandomFrames);
        var account = PacketTracker.NewAccount();
        var tracker = Fuzzing.NewTracker(account);
        var number = 0;
        RunOrFail(() => number, () =>
        {
            for (; number < count; number++)
            {
                // A window of the random bytes whose first words are fresh: 64 KiB anew each time would only test the generator.
                var start = random.Next(bytes.Length);
                var frame = bytes.AsSpan(start, random.Next(bytes.Length - start + 1));
                random.NextBytes(frame[..Math.Min(frame.Length, 64)]);
                tracker.Track(frame, linkTypes[number % linkTypes.Length], frame.Length, random.NextInt64(1L << 40));
            }

            tracker.Finish();
        });
        Assert.True(account.Report().Holds);
        Assert.Equal(count, account.Report().Seen);
    }

    /// <summary>Runs on a thread of its own, so that a loop without end fails the test with the input's number instead of hanging it.</summary>
    private static void RunOrFail(Func<int> number, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Patience), $"seed {Fuzzing.Seed}: no end of frame {number()}");
        Assert.True(failure is null, $"seed {Fuzzing.Seed}, frame {number()}: {failure}");
    }
}
