namespace Flows.Capture.Live;

/// <summary>Gets a captured frame: the interface's name, its bytes (valid during the call), link type, length on the wire, and time in µs since the epoch.</summary>
public delegate void FrameTap(string interfaceName, ReadOnlySpan<byte> frame, int linkType, int wireLength, long timeUs);
