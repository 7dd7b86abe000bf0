namespace Flows.Web;

/// <summary>
/// One reader for all requests: opened when first asked, asked by one at a time because it is not thread safe, and opened anew
/// when the store has moved on.
/// </summary>
/// <param name="open">Opens a reader of the store as it is now.</param>
/// <param name="version">Where the store stands now, cheaply: the manifest's sequence.</param>
public sealed class SharedReader<TReader>(Func<TReader> open, Func<long> version) : IDisposable
    where TReader : class, IDisposable
{
    private readonly Lock gate = new();
    private TReader? reader;
    private long readerVersion;

    /// <summary>Asks, after those who came before.</summary>
    public TAnswer Ask<TAnswer>(Func<TReader, TAnswer> question)
    {
        lock (gate)
        {
            // The version is read before the reader is opened: a change between the two costs one opening too many, never a stale answer.
            var now = version();
            if (reader is null || now != readerVersion)
            {
                reader?.Dispose();
                reader = null;
                reader = open();
                readerVersion = now;
            }

            return question(reader);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            reader?.Dispose();
            reader = null;
        }
    }
}
