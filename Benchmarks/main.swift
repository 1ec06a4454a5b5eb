print(MeasurementTable(rows: measurePipeline()).text)
