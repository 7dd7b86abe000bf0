namespace Flows.Capture.Files;

/// <summary>What came of reading the next record.</summary>
internal enum RecordResult
{
    Packet,
    End,

    /// <summary>The file ends within a record, or a length or number in it cannot be.</summary>
    Corrupt,
}

/// <summary>A capture format: yields its packets one by one.</summary>
internal interface ICaptureFormat
{
    /// <summary>Comments on the file itself.</summary>
    IReadOnlyList<string> Comments { get; }

    RecordResult Read(ReadBuffer input, ref CapturedPacket packet);
}
