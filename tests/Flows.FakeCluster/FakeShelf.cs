using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace Flows.FakeCluster;

/// <summary>One change as a watch tells it.</summary>
/// <param name="Version">The cluster's count of changes when it was made.</param>
/// <param name="Type">ADDED, MODIFIED, DELETED.</param>
/// <param name="Json">The object after it, or before its deletion.</param>
public sealed record FakeEvent(long Version, string Type, byte[] Json);

/// <summary>The objects of one resource and the recent changes to them.</summary>
public sealed class FakeShelf
{
    /// <summary>Changes that a watch may begin before; older ones are 410.</summary>
    private const int LogMax = 20_000;

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, byte[]> objects = new(StringComparer.Ordinal);
    private readonly Queue<FakeEvent> log = new();
    private readonly List<ChannelWriter<FakeEvent>> watchers = [];
    private readonly FakeClock clock;
    private long forgotten;

    internal FakeShelf(FakeResource resource, FakeClock clock) => (Resource, this.clock) = (resource, clock);

    public FakeResource Resource { get; }

    public int Count
    {
        get
        {
            lock (gate)
            {
                return objects.Count;
            }
        }
    }

    /// <summary>All changes to this resource up to here were told to the watches.</summary>
    internal long Version
    {
        get
        {
            lock (gate)
            {
                return clock.Current;
            }
        }
    }

    /// <summary>Adds or replaces an object: JSON with metadata that begins <c>{"metadata":{</c>, where the version is put in.</summary>
    /// <param name="key">Namespace and name.</param>
    /// <param name="json">The object without apiVersion, kind and resourceVersion.</param>
    public void Put(string key, string json)
    {
        lock (gate)
        {
            var version = clock.Next();
            var bytes = Versioned(json, version);
            var type = objects.ContainsKey(key) ? "MODIFIED" : "ADDED";
            objects[key] = bytes;
            Tell(new(version, type, bytes));
        }
    }

    /// <summary>Deletes an object. What watches are told is its last state, or the one given.</summary>
    public bool Delete(string key, string? json = null)
    {
        lock (gate)
        {
            if (!objects.Remove(key, out var last))
            {
                return false;
            }

            var version = clock.Next();
            Tell(new(version, "DELETED", json is null ? last : Versioned(json, version)));
            return true;
        }
    }

    /// <summary>Tells watches something that need not be true: a copy of an earlier event, one out of order.</summary>
    public void Replay(string type, string json)
    {
        lock (gate)
        {
            Tell(new(clock.Next(), type, Encoding.UTF8.GetBytes(json)));
        }
    }

    /// <summary>Tells watches nothing, but ends them and forgets where they were: only lists show it.</summary>
    public void PutSilently(string key, string? json)
    {
        lock (gate)
        {
            var version = clock.Next();
            if (json is null)
            {
                objects.Remove(key);
            }
            else
            {
                objects[key] = Versioned(json, version);
            }

            Compact();
            foreach (var watcher in watchers)
            {
                watcher.TryComplete();
            }

            watchers.Clear();
        }
    }

    /// <summary>Forgets all changes so far: a watch from before now is 410.</summary>
    public void Compact()
    {
        lock (gate)
        {
            log.Clear();
            forgotten = clock.Current;
        }
    }

    internal (KeyValuePair<string, byte[]>[] Objects, long Version) Snapshot()
    {
        lock (gate)
        {
            return ([.. objects], clock.Current);
        }
    }

    /// <summary>What happened since the version, and from now on what happens; null where that is no longer known.</summary>
    internal ChannelReader<FakeEvent>? Watch(long since, out Action leave)
    {
        lock (gate)
        {
            leave = () => { };
            if (since < forgotten)
            {
                return null;
            }

            var channel = Channel.CreateUnbounded<FakeEvent>(new() { SingleReader = true });
            foreach (var one in log)
            {
                if (one.Version > since)
                {
                    channel.Writer.TryWrite(one);
                }
            }

            watchers.Add(channel.Writer);
            leave = () =>
            {
                lock (gate)
                {
                    watchers.Remove(channel.Writer);
                }
            };
            return channel.Reader;
        }
    }

    private void Tell(FakeEvent one)
    {
        log.Enqueue(one);
        if (log.Count > LogMax)
        {
            forgotten = log.Dequeue().Version;
        }

        foreach (var watcher in watchers)
        {
            watcher.TryWrite(one);
        }
    }

    private static byte[] Versioned(string json, long version)
    {
        const string Start = "{\"metadata\":{";
        return json.StartsWith(Start, StringComparison.Ordinal)
            ? Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Start}\"resourceVersion\":\"{version}\",{json.AsSpan(Start.Length)}"))
            : throw new ArgumentException($"an object of the fake cluster begins {Start}", nameof(json));
    }
}

/// <summary>The cluster's count of changes, from which resource versions come.</summary>
internal sealed class FakeClock
{
    private long current = 1000;

    public long Current => Interlocked.Read(ref current);

    public long Next() => Interlocked.Increment(ref current);
}
