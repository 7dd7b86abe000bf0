using Flows.Web;
using Xunit;

namespace Flows.Tests.Web;

public sealed class SharedReaderTests
{
    [Fact]
    public void Reader_is_opened_once_per_version_and_asked_by_one_at_a_time()
    {
        long version = 1;
        var opened = new List<CountingReader>();
        using (var shared = new SharedReader<CountingReader>(
            () =>
            {
                opened.Add(new CountingReader());
                return opened[^1];
            }, () => Volatile.Read(ref version)))
        {
            Parallel.For(0, 200, _ => Assert.True(shared.Ask(reader => reader.IsAlone())));
            Assert.Single(opened);

            Volatile.Write(ref version, 2);
            Parallel.For(0, 200, _ => Assert.True(shared.Ask(reader => reader.IsAlone())));
            Assert.Equal(2, opened.Count);
            Assert.True(opened[0].Disposed);
        }

        Assert.True(opened[1].Disposed);
    }

    private sealed class CountingReader : IDisposable
    {
        private int inside;

        public bool Disposed { get; private set; }

        public bool IsAlone()
        {
            var alone = Interlocked.Increment(ref inside) == 1;
            Thread.Yield();
            Interlocked.Decrement(ref inside);
            return alone && !Disposed;
        }

        public void Dispose() => Disposed = true;
    }
}
