using System.Net;
using System.Net.Sockets;
using Flows.Capture.Conntrack;
using Xunit;

namespace Flows.SystemTests.Conntrack;

public sealed class ConntrackWatchdogTests
{
    [Fact]
    public async Task A_stuck_reader_lets_the_kernel_forget_its_dead()
    {
        const int Connections = 500;
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        var time = new SteppedTime();
        using var socket = net.InServer(() => NetlinkSocket.Open(CtMsg.GroupsAll, 16 << 10));
        using var watchdog = new ConntrackWatchdog(socket, time);
        net.InClient(() =>
        {
            for (var i = 0; i < Connections; i++)
            {
                using var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                Assert.Throws<SocketException>(() => one.Connect(new IPEndPoint(IPAddress.Parse("10.77.0.2"), 4444)));
            }

            return 0;
        });

        // Every one was refused and is over; the kernel keeps what it could not tell.
        Assert.InRange(net.Entries(), Connections / 2, Connections);
        Assert.False(watchdog.Turned());
        time.Step(ConntrackWatchdog.Patience - TimeSpan.FromSeconds(1));
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, net.Entries());

        time.Step(TimeSpan.FromSeconds(2));
        await ConntrackRun.UntilAsync(() => net.Entries() == 0, () => $"{net.Entries()} dead entries are kept");
        Assert.True(socket.Drops() >= Connections / 2);
        Assert.True(watchdog.Turned());
        Assert.False(watchdog.Turned());
    }

    /// <summary>A clock that stands until it is told to step; each step fires the timers.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private readonly List<Action> timers = [];
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref now);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            timers.Add(() => callback(state));
            return new Stopped();
        }

        public void Step(TimeSpan span)
        {
            Interlocked.Add(ref now, span.Ticks);
            timers.ForEach(fire => fire());
        }

        private sealed class Stopped : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
