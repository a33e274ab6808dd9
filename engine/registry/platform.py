"""The names of SnapLogic's own snaps, so that a missing one is not mistaken for a typo.

A name is the snap's label in SnapLogic, written as a class name. Installed snaps take precedence.
"""

_NAMES = """
Aggregate AssertEquals AvroFormatter AvroParser BinaryCopy BinaryRouter BinaryToDocument
Compress Conditional Constant Copy CrossValidatorClassification CSVFormatter CSVGenerator
CSVParser DataValidator Decompress Diff DirectoryBrowser DocumentToBinary EmailSender
ExcelFormatter ExcelParser Exit FileDelete FilePoller FileReader FileWriter Filter
FixedWidthParser Gate GroupByFields GroupByN Head HTTPClient HTTPRouter InMemoryLookup
JDBCDelete JDBCExecute JDBCInsert JDBCLookup JDBCMerge JDBCSelect JDBCStoredProcedure
JDBCTableList JDBCUpdate Join JSONFormatter JSONGenerator JSONParser JSONSplitter Mapper
MySQLDelete MySQLExecute MySQLInsert MySQLLookup MySQLMerge MySQLSelect MySQLStoredProcedure
MySQLUpdate NestedPipeline OracleDelete OracleExecute OracleInsert OracleLookup OracleMerge
OracleSelect OracleStoredProcedure OracleUpdate ParquetFormatter ParquetParser PipeLoop
PipelineExecute Pivot PostgreSQLDelete PostgreSQLExecute PostgreSQLInsert PostgreSQLLookup
PostgreSQLMerge PostgreSQLSelect PostgreSQLUpdate PredictorClassification Profile RecordReplay
RedshiftExecute RedshiftInsert RedshiftSelect RemotePythonScript RESTDelete RESTGet RESTPatch
RESTPost RESTPut Router S3Browser S3Download S3FileReader S3FileWriter S3Upload Script Sequence
SnowflakeExecute SnowflakeInsert SnowflakeSelect Sort SQLServerDelete SQLServerExecute
SQLServerInsert SQLServerLookup SQLServerMerge SQLServerSelect SQLServerStoredProcedure
SQLServerUpdate Structure Tail TaskExecute Throttle TrainerClassification Transpose Trash
TypeConverter Union Unique XMLFormatter XMLGenerator XMLParser ZipFileRead ZipFileWrite
"""
SNAPS = tuple(_NAMES.split())
