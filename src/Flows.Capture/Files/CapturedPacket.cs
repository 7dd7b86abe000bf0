namespace Flows.Capture.Files;

/// <summary>One packet of a capture file. The data lies in the reader's buffer: it is valid until the next read.</summary>
public ref struct CapturedPacket
{
    /// <summary>The captured bytes, from the first byte of the link layer.</summary>
    public ReadOnlySpan<byte> Data;

    /// <summary>Link type of the interface, see https://www.tcpdump.org/linktypes.html.</summary>
    public int LinkType;

    /// <summary>Bytes that the packet had on the wire.</summary>
    public int WireLength;

    /// <summary>Microseconds since the Unix epoch, UTC, within the years 1970 to 9999.</summary>
    public long TimestampUs;

    /// <summary>Name of the interface where the file tells it, otherwise empty.</summary>
    public string InterfaceName;
}
